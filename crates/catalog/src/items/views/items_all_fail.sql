-- Items that no checkpoint solves, with the upper end of the interval of the share that would.
create view items_all_fail as
select benchmark, item, n, share, low, high from item_difficulty where correct = 0
