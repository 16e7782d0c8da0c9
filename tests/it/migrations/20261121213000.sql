INSERT INTO said_by_files VALUES (1, '{}');
