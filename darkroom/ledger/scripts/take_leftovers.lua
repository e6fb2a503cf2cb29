-- Lend rows of what forgotten records left in the store to one who deletes it; what others have is passed over.
-- ARGV: row to begin after, most of them, lease in ms
-- Answers a list of {row, keys with spaces between}; fewer than asked for only at the end.
local after, most, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local lent, taken = key('leftovers_lent'), {}
redis.call('ZREMRANGEBYSCORE', lent, '-inf', now)
local looked_at = most + redis.call('ZCARD', lent)  -- among so many, as many as are wanted are free
for _, row in ipairs(redis.call('XRANGE', key('leftovers'), '(' .. after, '+', 'COUNT', looked_at)) do
  if #taken == most then break end
  if redis.call('ZADD', lent, 'NX', now + lease, row[1]) == 1 then taken[#taken + 1] = {row[1], row[2][2]} end
end
return taken
