-- Forget rows, once nothing lies at their keys any more.
-- ARGV: row...
for _, row in ipairs(ARGV) do
  redis.call('XDEL', key('leftovers'), row)
  redis.call('ZREM', key('leftovers_lent'), row)
end
