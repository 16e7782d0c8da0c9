UPDATE allowances SET end_told = 1 WHERE id = 1;
