-- Make deliveries due now, each with a schedule of its own.
-- ARGV: tenant, id...
-- Answers how many there are of this tenant.
local replayed = 0
for i = 2, #ARGV do
  local delivery = load_delivery(ARGV[i])
  if delivery and delivery.tenant == ARGV[1] then
    redis.call('HSET', key('delivery', delivery.id), 'state', 'pending', 'before', delivery.attempts)
    redis.call('HDEL', key('delivery', delivery.id), 'reason', 'ended_at')
    redis.call('ZREM', key('deliveries_ended'), delivery.id .. ':' .. delivery.tenant)
    put_due(delivery, now)
    replayed = replayed + 1
  end
end
return replayed
