-- End a delivery whose record is gone before it was ever told.
-- ARGV: id
-- Answers 1, or 0 where there is none that is pending.
local delivery = load_delivery(ARGV[1])
if not delivery or delivery.state ~= 'pending' then return 0 end
end_delivery(delivery, 'dead', 'record_gone')
return 1
