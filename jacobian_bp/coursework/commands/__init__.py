"""What the commands diagnose, exercise and grade read and print; the work is done below."""
