-- Note which models a worker serves, for one lease.
-- ARGV: worker, model...
withdraw(ARGV[1])
for i = 2, #ARGV do
  redis.call('ZADD', key('serving'), now + RULES.lease_ms, ARGV[i] .. ' ' .. ARGV[1])
end
