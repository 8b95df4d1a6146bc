-- Items that every checkpoint solves, with the lower end of the interval of the share that would.
create view items_all_solve as
select benchmark, item, n, share, low, high from item_difficulty where correct = n
