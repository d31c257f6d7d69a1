"""What whole Jacobians cost, predicted from shapes and measured, beside the other routes."""
