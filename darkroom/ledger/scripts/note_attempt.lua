-- Write an attempt at a delivery and what follows from it.
-- ARGV: id, number of the attempt, the attempt, state, ms until the next one, reason or '', '1' to disable the endpoint
-- Answers 1, or 0 where another courier has noted as much or the delivery has ended.
local id, number, attempt, state, delay, reason, disable = unpack(ARGV)
local delivery = load_delivery(id)
if not delivery or delivery.state ~= 'pending' then return 0 end
if delivery.attempts >= tonumber(number) and state ~= 'delivered' then return 0 end
redis.call('RPUSH', key('attempts', id), attempt)
redis.call('LTRIM', key('attempts', id), -RULES.attempts_kept, -1)
redis.call('HSET', key('delivery', id), 'attempts', math.max(delivery.attempts, tonumber(number)))
if disable == '1' and redis.call('HLEN', key('disabled', delivery.tenant)) < RULES.max_disabled then
  redis.call('HSET', key('disabled', delivery.tenant), delivery.url, now)
end
if state == 'pending' then
  put_due(delivery, now + tonumber(delay))
else
  end_delivery(delivery, state, reason)
end
return 1
