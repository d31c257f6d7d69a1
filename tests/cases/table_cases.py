"""Small tables of the kinds that courses use, each with the numbers that are meant by it.

READ: text, target, options, x as it is (raw), y, classes. REFUSED: text, options, message.
"""

NONE = ()

READ = {
    # ------------------------------------------------ header
    "header and numbers": ("u,v,w\n2,3,5\n7,11,13\n", "w", {}, [[2, 3], [7, 11]], [5, 13], NONE),
    "no header, numbers": ("2.5,3,5\n7,11,13\n", -1, {}, [[2.5, 3], [7, 11]], [5, 13], NONE),
    "no header, text class": (
        "5.1,3.5,Iris-setosa\n7,3.2,Iris-versicolor\n5.7,4.4,Iris-setosa\n",
        3,
        {},
        [[5.1, 3.5], [7, 3.2], [5.7, 4.4]],
        [0, 1, 0],
        ("Iris-setosa", "Iris-versicolor"),
    ),
    "first row has equal numbers": (
        "1,1,0.5,g\n1,1,-0.25,b\n0,0,1,g\n",
        "last",
        {},
        [[1, 1, 0.5], [1, 1, -0.25], [0, 0, 1]],
        [1, 0, 1],
        ("b", "g"),
    ),
    "no header, a gap in the first row": (
        "?,3,5\n7,11,13\n17,19,23\n",
        -1,
        {"missing": "drop"},
        [[7, 11], [17, 19]],
        [13, 23],
        NONE,
    ),
    "header, all text": (
        "outlook,wind,play\nsunny,no,no\nrain,yes,yes\nsunny,yes,yes\n",
        "play",
        {},
        [[1, 0], [0, 1], [1, 1]],
        [0, 1, 1],
        ("no", "yes"),
    ),
    "no header, all text": (
        "x,o,pos\no,o,neg\nx,x,pos\no,x,neg\n",
        -1,
        {},
        [[1, 0], [0, 0], [1, 1], [0, 1]],
        [1, 0, 1, 0],
        ("neg", "pos"),
    ),
    "counting names, said": (
        "0,1,2\n0.5,0.25,7\n1.5,0.75,9\n",
        -1,
        {"header": True},
        [[0.5, 0.25], [1.5, 0.75]],
        [7, 9],
        NONE,
    ),
    "counting values, said": (
        "0,1,2\n5,3,1\n",
        -1,
        {"header": False},
        [[0, 1], [5, 3]],
        [2, 1],
        NONE,
    ),
    "a name twice": (
        "u,v,u\n2,3,5\n7,11,13\n",
        "u (column 3)",
        {},
        [[2, 3], [7, 11]],
        [5, 13],
        NONE,
    ),
    "names of years": (
        "town,2019,2021\nRome,2,3\nRome,5,7\nOslo,11,13\nOslo,17,19\n",
        "2021",
        {"header": True},
        [[1, 2], [1, 5], [0, 11], [0, 17]],
        [3, 7, 13, 19],
        NONE,
    ),
    "a title above": ("My table\nu,w\n2,3\n5,7\n", "w", {"skip": 1}, [[2], [5]], [3, 7], NONE),
    # ------------------------------------------------ columns apart
    "semicolons": ("u;v;w\n2;3.5;5\n7;1.5;13\n", "w", {}, [[2, 3.5], [7, 1.5]], [5, 13], NONE),
    "semicolons, quoted names": (
        '"fixed acidity";"pH";"quality"\n7.4;3.51;5\n7.8;3.2;6\n',
        "quality",
        {},
        [[7.4, 3.51], [7.8, 3.2]],
        [5, 6],
        NONE,
    ),
    "semicolons, decimal commas": (
        "u;w\n1,5;2\n-0,25;7\n",
        "w",
        {},
        [[1.5], [-0.25]],
        [2, 7],
        NONE,
    ),
    "tabs, decimal commas": (
        "u\tv\tw\n1,5\t2,25\t0\n-0,5\t1,75\t1\n",
        "w",
        {},
        [[1.5, 2.25], [-0.5, 1.75]],
        [0, 1],
        NONE,
    ),
    "bars": ("u|w\n2|3\n5|7\n", "w", {}, [[2], [5]], [3, 7], NONE),
    "blanks in columns": (
        "   6  148.5   1\n   1   85.0   0\n",
        -1,
        {},
        [[6, 148.5], [1, 85]],
        [1, 0],
        NONE,
    ),
    "blanks, then a tab and a quoted name": (
        '18.0  8  307.0\t"chevrolet chevelle"\n15.0  6  350.0\t"buick skylark"\n'
        '16.0  8  304.5\t"amc rebel"\n',
        1,
        {},
        [[8, 307], [6, 350], [8, 304.5]],
        [18, 15, 16],
        NONE,
    ),
    "tabs, some of them twice": (
        "15.25\t14.75\t1\n14.5\t\t13.5\t2\n13.75\t12.25\t1\n",
        -1,
        {},
        [[15.25, 14.75], [14.5, 13.5], [13.75, 12.25]],
        [1, 2, 1],
        NONE,
    ),
    "census": (
        "39, State-gov, 77516, Male, <=50K\n50, Private, 83311, Male, >50K\n"
        "38, Private, 215646, Female, <=50K\n53, State-gov, 234721, Male, <=50K\n"
        "28, ?, 338409, Female, >50K\n37, Private, 284582, Male, <=50K\n",
        -1,
        {"missing": "drop"},
        [
            [39, 1, 77516, 1],
            [50, 0, 83311, 1],
            [38, 0, 215646, 0],
            [53, 1, 234721, 1],
            [37, 0, 284582, 1],
        ],
        [0, 1, 0, 0, 0],
        ("<=50K", ">50K"),
    ),
    "cars, numbers and words in one column": (
        "high,2,4,acc\nlow,3,more,acc\nhigh,5more,more,unacc\nlow,2,4,unacc\n"
        "low,3,4,acc\nhigh,5more,4,acc\n",
        -1,
        {"category": "2,3"},
        [
            [0, 1, 0, 0, 0],
            [1, 0, 1, 0, 1],
            [0, 0, 0, 1, 1],
            [1, 1, 0, 0, 0],
            [1, 0, 1, 0, 0],
            [0, 0, 0, 1, 0],
        ],
        [0, 0, 1, 1, 0, 0],
        ("acc", "unacc"),
    ),
    "the class first": (
        "B,1,1,2.5\nL,1,2,3\nR,2,1,1.5\nL,5,3,1\n",
        1,
        {},
        [[1, 1, 2.5], [1, 2, 3], [2, 1, 1.5], [5, 3, 1]],
        [0, 1, 2, 1],
        ("B", "L", "R"),
    ),
    "names of proteins, in blanks": (
        "AAT_ECOLI   0.49  0.29  cp\nACEA_ECOLI  0.07  0.40  cp\n"
        "ACEK_ECOLI  0.56  0.40  im\nLAMB_ECOLI  0.44  0.52  im\n",
        "last",
        {},
        [[0.49, 0.29], [0.07, 0.4], [0.56, 0.4], [0.44, 0.52]],
        [0, 0, 1, 1],
        ("cp", "im"),
    ),
    "comma and blank": ("u, v, w\n2, 3, 5\n7, 11, 13\n", "w", {}, [[2, 3], [7, 11]], [5, 13], NONE),
    "sep line": ("sep=;\nu;w\n2;3\n5;7\n", "w", {}, [[2], [5]], [3, 7], NONE),
    "commas in quotes": (
        'name,u,w\n"Braund, Mr. O.",2,3\n"Heikkinen, Ms. L.",5,7\n"Allen, Mr. W.",11,13\n',
        "w",
        {},
        [[2], [5], [11]],
        [3, 7, 13],
        NONE,
    ),
    "a line break in quotes": (
        'note,u,w\n"two\nlines",2,3\n"one",5,7\n"more",11,13\n',
        "w",
        {},
        [[2], [5], [11]],
        [3, 7, 13],
        NONE,
    ),
    "apostrophes": (
        "'40-49','left','no'\n'50-59','right','yes'\n'40-49','left','no'\n'50-59','left','no'\n",
        -1,
        {},
        [[0, 0], [1, 1], [0, 0], [1, 0]],
        [0, 1, 0, 0],
        ("no", "yes"),
    ),
    "an empty last column": ("u,w,\n2,3,\n5,7,\n", "w", {}, [[2], [5]], [3, 7], NONE),
    # ------------------------------------------------ numerals
    "thousands": (
        'pay,w\n"1,234,567",2\n"89,012",3\n',
        "w",
        {},
        [[1234567], [89012]],
        [2, 3],
        NONE,
    ),
    "thousands, told by another column": (
        'u,v,w\n"1,234.5","2,146",3\n"7,001.25","9,875",5\n',
        "w",
        {},
        [[1234.5, 2146], [7001.25, 9875]],
        [3, 5],
        NONE,
    ),
    "points between thousands": (
        "u;w\n1.234,5;2\n7.001,25;3\n",
        "w",
        {},
        [[1234.5], [7001.25]],
        [2, 3],
        NONE,
    ),
    "thousands, said": (
        'u,w\n"2,146",3\n"1,875",5\n',
        "w",
        {"thousands": "comma"},
        [[2146], [1875]],
        [3, 5],
        NONE,
    ),
    "decimal comma, said": (
        'u,w\n"2,146",3\n"1,875",5\n',
        "w",
        {"decimal": "comma"},
        [[2.146], [1.875]],
        [3, 5],
        NONE,
    ),
    "exponents and signs": (
        "u,w\n+1.5e3,-.5\n-2E-2,5.\n",
        "w",
        {},
        [[1500], [-0.02]],
        [-0.5, 5],
        NONE,
    ),
    "a true minus, and a dash typed for it": (
        "u,w\n−1.5,3\n–2.25,5\n7,−11\n",
        "w",
        {},
        [[-1.5], [-2.25], [7]],
        [3, 5, -11],
        NONE,
    ),
    "blanks between thousands": (
        "u;v;w\n1\xa0234,5;2\u202f345;3\n17\xa0001,25;12\u202f345\u202f678;5\n",
        "w",
        {},
        [[1234.5, 2345], [17001.25, 12345678]],
        [3, 5],
        NONE,
    ),
    "apostrophes between thousands": (
        "u,w\n1'234.5,3\n12’345’678,5\n",
        "w",
        {},
        [[1234.5], [12345678]],
        [3, 5],
        NONE,
    ),
    "money and shares, each column in one unit": (
        'pay,share,w\n"$1,234.50",2.5%,3\n-$7.25,-11 %,5\n$0.50,?,7\n',
        "w",
        {"missing": "drop"},
        [[1234.5, 2.5], [-7.25, -11]],
        [3, 5],
        NONE,
    ),
    # ------------------------------------------------ kinds
    "plus and minus as classes": (
        "a,2,+\nb,3,-\na,5,-\nb,?,+\n",
        -1,
        {"missing": "drop"},
        [[0, 2], [1, 3], [0, 5]],
        [0, 1, 1],
        ("+", "-"),
    ),
    "months in digits, left out": (
        "month,u,w\n202011,2,3\n202012,5,7\n202101,11,13\n",
        "w",
        {},
        [[2], [5], [11]],
        [3, 7, 13],
        NONE,
    ),
    "days in digits, kept as numbers": (
        "20210227,2,3\n20210228,5,7\n20210301,11,13\n",
        -1,
        {"keep": 1},
        [[20210227, 2], [20210228, 5], [20210301, 11]],
        [3, 7, 13],
        NONE,
    ),
    "no months, the 13th being none": (
        "part,u,w\n202011,2,3\n202013,5,7\n202101,11,13\n",
        "w",
        {},
        [[202011, 2], [202013, 5], [202101, 11]],
        [3, 7, 13],
        NONE,
    ),
    "days with a time, in digits": (
        "day,u,w\n20140502T000000,2,3\n20140503T000000,5,7\n",
        "w",
        {},
        [[2], [5]],
        [3, 7],
        NONE,
    ),
    "categories": (
        "sex,length,rings\nM,0.5,15\nF,0.25,9\nI,0.75,7\nM,1,10\nI,2,8\nF,3,20\n",
        "rings",
        {},
        [
            [0, 0, 1, 0.5],
            [1, 0, 0, 0.25],
            [0, 1, 0, 0.75],
            [0, 0, 1, 1],
            [0, 1, 0, 2],
            [1, 0, 0, 3],
        ],
        [15, 9, 7, 10, 8, 20],
        NONE,
    ),
    "true and false": ("u,ok,w\n2,True,3\n5,False,7\n", "w", {}, [[2, 1], [5, 0]], [3, 7], NONE),
    "dates": (
        "day,u,w\n2021-03-05,2,3\n2021-03-06,5,7\n2021-03-08,11,13\n",
        "w",
        {},
        [[2], [5], [11]],
        [3, 7, 13],
        NONE,
    ),
    "dates kept as an order": (
        "day,w\n03/05/2021,3\n03/06/2021,7\n03/08/2021,13\n",
        "w",
        {"keep": "day"},
        [[0], [1], [2]],
        [3, 7, 13],
        NONE,
    ),
    "months without a year, kept": (
        '"Month","Sales"\n"1-01",266.5\n"1-02",145.25\n',
        "Sales",
        {"keep": "Month"},
        [[0], [1]],
        [266.5, 145.25],
        NONE,
    ),
    "a nameless row number": (
        ",u,w\n0,2,3\n1,5,7\n2,11,13\n",
        "w",
        {},
        [[2], [5], [11]],
        [3, 7, 13],
        NONE,
    ),
    "row names of R": (
        '"u" "w"\n"1" 2 3\n"2" 5 7\n"3" 11 13\n',
        "w",
        {},
        [[2], [5], [11]],
        [3, 7, 13],
        NONE,
    ),
    "a row number": (
        "Id,u,w\n" + "".join(f"{k},{k * k},{k % 3}\n" for k in range(1, 12)),
        "w",
        {},
        [[k * k] for k in range(1, 12)],
        [k % 3 for k in range(1, 12)],
        NONE,
    ),
    "a row number, kept": (
        "Id,u,w\n" + "".join(f"{k},{k * k},{k % 3}\n" for k in range(1, 12)),
        "w",
        {"keep": "Id"},
        [[k, k * k] for k in range(1, 12)],
        [k % 3 for k in range(1, 12)],
        NONE,
    ),
    "numbers that are classes": (
        "zone,u,w\n7,2,3\n11,5,7\n13,11,13\n",
        "w",
        {"category": "zone"},
        [[1, 0, 0, 2], [0, 1, 0, 5], [0, 0, 1, 11]],
        [3, 7, 13],
        NONE,
    ),
    "a target of numbers as classes": (
        "u,grade\n2,7\n5,10\n11,9\n",
        "grade",
        {"category": "grade"},
        [[2], [5], [11]],
        [0, 2, 1],
        ("7", "9", "10"),
    ),
    # ------------------------------------------------ missing
    "missing, dropped": (
        "u,v,w\n2,?,3\n5,7,11\n13,,17\n",
        "w",
        {"missing": "drop"},
        [[5, 7]],
        [11],
        NONE,
    ),
    "missing, the mean": (
        "u,v,w\n2,NA,3\n5,7,11\n13,10,17\n",
        "w",
        {"missing": "mean"},
        [[2, 8.5], [5, 7], [13, 10]],
        [3, 11, 17],
        NONE,
    ),
    "missing, a class": (
        "u,v,w\n2,,3\n5,a,11\n13,b,17\n17,a,19\n",
        "w",
        {"missing": "class"},
        [[2, 0, 0, 1], [5, 1, 0, 0], [13, 0, 1, 0], [17, 1, 0, 0]],
        [3, 11, 17, 19],
        NONE,
    ),
    "missing numbers, told apart": (
        "u,v,w\n2,,3\n5,7,11\n13,10,17\n",
        "w",
        {"missing": "class"},
        [[2, 8.5, 1], [5, 7, 0], [13, 10, 0]],
        [3, 11, 17],
        NONE,
    ),
    "a word of one's own for missing": (
        "u,w\n2,3\nunknown,7\n11,13\n",
        "w",
        {"missing": "drop", "missing_token": "unknown"},
        [[2], [11]],
        [3, 13],
        NONE,
    ),
    "a target that is missing": (
        "u,w\n2,3\n5,\n11,13\n",
        "w",
        {"missing": "mean"},
        [[2], [11]],
        [3, 13],
        NONE,
    ),
    # ------------------------------------------------ roles
    "several targets": (
        "u,v,w\n2,3,5\n7,11,13\n",
        ["v", -1],
        {},
        [[2], [7]],
        [[3, 5], [11, 13]],
        NONE,
    ),
    "some columns": (
        "r,s,t,w\n2,3,5,7\n11,13,17,19\n",
        "w",
        {"columns": "1,3"},
        [[2, 5], [11, 17]],
        [7, 19],
        NONE,
    ),
    "a span of columns, some rows": (
        "r,s,t,w\n2,3,5,7\n11,13,17,19\n23,29,31,37\n",
        "w",
        {"columns": "2-3", "rows": "1-"},
        [[13, 17], [29, 31]],
        [19, 37],
        NONE,
    ),
    "a sum below, left out by its row": (
        "town,u,w\nRome,2,3\nOslo,5,7\nTotal,7,10\n",
        "w",
        {"rows": "0-1", "drop": "town"},
        [[2], [5]],
        [3, 7],
        NONE,
    ),
    "dropped columns": ("r,s,w\n2,3,5\n7,11,13\n", "w", {"drop": ["s"]}, [[2], [7]], [5, 13], NONE),
    # ------------------------------------------------ lines above the table
    "comments, then names": (
        "# measured in spring, twice\n# by hand\nu,v,w\n2,3,5\n7,11,13\n",
        "w",
        {},
        [[2, 3], [7, 11]],
        [5, 13],
        NONE,
    ),
    "names behind a comment": (
        "# by hand\n# u v w\n2 3 5\n7 11 13\n",
        "w",
        {},
        [[2, 3], [7, 11]],
        [5, 13],
        NONE,
    ),
    "names behind a comment, denied": (
        "% u,v,w\n2,3,5\n7,11,13\n",
        -1,
        {"header": False},
        [[2, 3], [7, 11]],
        [5, 13],
        NONE,
    ),
    "a column that is called #": (
        "#,u,w\n2,3,5\n7,11,13\n",
        "w",
        {"columns": ["#", "u"]},
        [[2, 3], [7, 11]],
        [5, 13],
        NONE,
    ),
    "rows of an ARFF file": (
        "% flowers\n@relation f\n@attribute u numeric\n@attribute w {a,b}\n@data\n2,a\n3,b\n",
        -1,
        {"skip": 5, "header": False},
        [[2], [3]],
        [0, 1],
        ("a", "b"),
    ),
    # ------------------------------------------------ bytes
    "CRLF and a byte order mark": (
        "\ufeffu,w\r\n2,3\r\n5,7\r\n",
        "w",
        {},
        [[2], [5]],
        [3, 7],
        NONE,
    ),
    "old line ends": ("u,w\r2,3\r5,7\r", "w", {}, [[2], [5]], [3, 7], NONE),
    "cp1252, said": (
        "größe,w\n2,3\n5,7\n".encode("cp1252"),
        "w",
        {"encoding": "cp1252"},
        [[2], [5]],
        [3, 7],
        NONE,
    ),
    "form feeds and other line ends within": (
        "u,name,w\n2,a\x0cb\x85c,3\n5,d\u2028e,7\n11,f,13\n",
        "w",
        {},
        [[2], [5], [11]],
        [3, 7, 13],
        NONE,
    ),
}

REFUSED = {
    "names or values": (
        "0,1,2\n5,3,1\n",
        {},
        """\
t.csv, line 1: names or values? 0, 1, 2 count up, as names of columns do.
  names: 0, 1, 2, and 1 rows
  values: 2 rows, the columns numbered from 1
  Say header=True or header=False.""",
    ),
    "votes that differ": (
        "u,7\n2,3\n5,7\n",
        {},
        """\
t.csv, line 1: names or values? 'u' is a word above numbers, '7' a number above numbers.
  names: u, 7, and 2 rows
  values: 3 rows, the columns numbered from 1
  Say header=True or header=False.""",
    ),
    "a value that is no number in the first row": (
        "a,unknown\nb,2.5\na,3.5\nb,1.5\n",
        {},
        """\
t.csv, line 1: names or values? 'unknown' is a word above numbers, 'a' stands below too.
  names: a, unknown, and 3 rows
  values: 4 rows, the columns numbered from 1
  Say header=True or header=False.""",
    ),
    "text that never recurs": (
        "a,b\nc,d\ne,f\n",
        {},
        """\
t.csv, line 1: names or values? every line differs from every other, in every column.
  names: a, b, and 2 rows
  values: 3 rows, the columns numbered from 1
  Say header=True or header=False.""",
    ),
    "two delimiters": (
        "a;b,c\nd;e,f\n",
        {},
        """\
t.csv: its lines can be split in two ways.
  by semicolon: 2 columns, the first line a, b,c
  by comma: 2 columns, the first line a;b, c
  Say delimiter="semicolon" or delimiter="comma".""",
    ),
    "an open comma": (
        'u,w\n"2,146",3\n"1,875",5\n',
        {},
        """\
t.csv, line 2, column u: '2,146' can be read in two ways.
  a comma between thousands: 2146
  a decimal comma: 2.146
  Say thousands="comma" or decimal="comma".""",
    ),
    "a point beside decimal commas": (
        "u;v;w\n1,5;1.234;2\n2,5;5.678;3\n",
        {},
        """\
t.csv, line 2, column v: '1.234' beside decimal commas can be read in two ways.
  a point between thousands: 1234
  a decimal point: 1.234
  Say thousands="point" or thousands="none".""",
    ),
    "commas and points": (
        'u,w\n"1,5",3\n2.5,5\n',
        {},
        """\
t.csv, line 2, column u: '1,5': commas and points mean two things here.
  Write the column's numbers in one way.""",
    ),
    "money": (
        "u,v,w\n2,$2.39,3\n5,€7.00,7\n",
        {},
        """\
t.csv, line 2, column v: '$2.39' is a number with a unit.
  Write all numbers of the column in one unit and without it, or say drop=["v"].""",
    ),
    "words for units": (
        "u,v,w\n2,5 km,3\n5,7.5 km,7\n11,9 km,13\n",
        {},
        """\
t.csv, line 2, column v: '5 km' is a number with a unit.
  Write all numbers of the column in one unit and without it, or say drop=["v"].""",
    ),
    "brackets of accounts": (
        "u,v,w\n2,5,3\n5,(7.5),7\n11,9,13\n",
        {},
        """\
t.csv, line 3, column v: '(7.5)' is a number in brackets, as accounts write a negative one.
  Write -7.5, or say drop=["v"].""",
    ),
    "a target of texts that all differ": (
        "u,w\n" + "".join(f"{k * k},text {k}\n" for k in range(7)),
        {},
        """\
t.csv: the target w is another text in each of 7 rows, so no class comes twice.
  a class each: category=["w"]
  Choose another target: its columns are u, w.""",
    ),
    "a target of very many texts": (
        "u,w\n" + "".join(f"{k * k},text {k % 1001}\n" for k in range(1003)),
        {},
        """\
t.csv: the target w has 1,001 texts in 1,003 rows: many for classes.
  a class each: category=["w"]
  Choose another target: its columns are u, w.""",
    ),
    "a sparse table": (
        "+1 1:0.5 3:2\n-1 2:7 3:11\n",
        {},
        """\
t.csv, line 1: '3:2' is an entry with its column, as sparse tables have them.
  Write a cell for each column, zeros too.""",
    ),
    "an ARFF file": (
        "% flowers\n@RELATION f\n@attribute u numeric\n@attribute w {a,b}\n@DATA\n2,a\n3,b\n",
        {},
        """\
t.csv is an ARFF file: its rows begin below @data, line 5.
  Say skip=5 and header=False; the columns are numbered from 1.""",
    ),
    "a web page": (
        "\n<!DOCTYPE html>\n<html><body>u,w</body></html>\n",
        {},
        "t.csv is a web page, not a table of rows.\n  Save the table itself, as a raw file.",
    ),
    "JSON": (
        '[{"u": 2, "w": 3},\n {"u": 5, "w": 7}]\n',
        {},
        "t.csv is JSON, not a table of rows.\n  Save it as CSV in UTF-8.",
    ),
    "gzip": (
        b"\x1f\x8b\x08\x00",
        {},
        "t.csv is a gzip archive, not a table in plain text.\n"
        "  Unpack it first: gunzip < t.csv > table.csv",
    ),
    "images of MNIST": (
        b"\x00\x00\x08\x03\x00\x00",
        {},
        "t.csv is an IDX file of images, as MNIST has, not a table in plain text.\n"
        "  Save its arrays with numpy.savez, as X and Y, and give the .npz file.",
    ),
    "a word among numbers": (
        "u,w\n2,3\n5,7\nabout 11,13\n17,19\n",
        {},
        """\
t.csv, line 4, column u: 'about 11' stands among 3 numbers.
  a missing value: missing_token=["about 11"]
  a class, as the numbers are: category=["u"]
  Say which, or mend the cell.""",
    ),
    "missing": (
        "u,v,w\n2,?,3\n5,7,11\n13,,17\n",
        {},
        """\
t.csv, line 2, column v: '?' is a missing value; nothing is guessed.
  2 cells in 2 of 3 rows; column v: 2
  Say missing="drop" (1 row stays), missing="mean", missing="class" or drop=["v"].""",
    ),
    "neither classes nor texts": (
        "u,v,w\n" + "".join(f"{k * k},t{k % 70},{k}\n" for k in range(150)),
        {},
        """\
t.csv: column v has 70 texts in 150 rows: many for classes, few for free text.
  a class each: category=["v"]
  left out: drop=["v"]
  Say which.""",
    ),
    "dates alone": (
        "day,w\n2021-03-05,3\n2021-03-06,7\n",
        {},
        """\
t.csv: no input column is left beside the target.
  left out: day, a date (2021-03-05, …)
  Say keep=["day"] to use it all the same.""",
    ),
    "ragged": (
        "u,w\n2,3\n5,7,11\n",
        {},
        """\
t.csv, line 3: the row is ragged.
  2 of 3 lines have 2 columns
  line 3 has 3: '5', '7', '11'
  Give every row one cell for each column.""",
    ),
    "a title": (
        "Wine\nu,v,w\n2,3,5\n7,11,13\n",
        {},
        """\
t.csv, line 1: the row is ragged.
  3 of 4 lines have 3 columns
  line 1 has 1: 'Wine'
  Say skip=1 if titles stand above the table.""",
    ),
    "the header again": (
        "u,v,w\n2,3,5\nu,v,w\n7,11,13\n17,19,23\n29,31,37\n41,43,47\n53,59,61\n67,71,73\n"
        "79,83,89\n97,101,103\n107,109,113\n",
        {},
        """\
t.csv, line 3 repeats the header, line 1: u, v, w.
  names written twice, or two tables one below the other
  Leave the line out; if line 1 holds values, say header=False.""",
    ),
    "an open quote": (
        'u,w\n2,"3\n5,7\n11,13\n',
        {},
        """\
t.csv, line 2: a quote is opened and never closed.
  Close the quote; one that belongs to the text is written twice.""",
    ),
    "not UTF-8": (
        "größe,w\n2,3\n".encode("cp1252"),
        {},
        """\
t.csv, line 1: byte 0xf6 is not UTF-8.
  as cp1252 it reads 'größe,w'
  Say encoding="cp1252" if that is right, or save it as UTF-8.""",
    ),
    "UTF-16": (
        "u,w\n2,3\n".encode("utf-16"),
        {},
        "t.csv is text in UTF-16, not a table in plain text.\n  Save it as CSV in UTF-8.",
    ),
    "Excel": (
        b"PK\x03\x04...",
        {},
        "t.csv is a zip archive, or an Excel file, not a table in plain text.\n"
        "  Unpack it, or save the sheet as CSV in UTF-8.",
    ),
    "empty": (
        " \n",
        {},
        "t.csv is empty.\n  Write a header line and one line for each example.",
    ),
    "an infinite number": (
        "u,w\n1e999,3\n5,7\n",
        {},
        "t.csv, line 2, column u: '1e999' is not a finite number.\n  Leave the row out or mend it.",
    ),
    "another decimal sign than was said": (
        "u;w\n1,5;2\n2,5;3\n",
        {"decimal": "point"},
        """\
t.csv, line 2, column u: '1,5' has a decimal comma.
  it was said that it has not: decimal="point"
  Leave that out, or write the column's numbers in the way that was said.""",
    ),
}
