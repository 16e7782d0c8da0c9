UPDATE actions SET in_force = 1 WHERE id = 1;
