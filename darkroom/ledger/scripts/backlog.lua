-- What waits for couriers.
-- ARGV: none
-- Answers {pending deliveries, ms that the longest due one is overdue}.
local pending = 0
for _, lane in ipairs(redis.call('ZRANGE', key('lanes'), 0, -1)) do
  pending = pending + redis.call('ZCARD', key('due', lane))
end
local first = redis.call('ZRANGE', key('lanes'), 0, 0, 'WITHSCORES')
return {pending, first[1] and math.max(0, now - tonumber(first[2])) or 0}
