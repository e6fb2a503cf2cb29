-- End the leases of a worker known to be dead; `reap` then takes its jobs back. It serves nothing any more.
-- ARGV: worker
-- Answers the ids of its jobs.
local abandoned = {}
withdraw(ARGV[1])
for _, id in ipairs(redis.call('ZRANGE', key('leases'), 0, -1)) do
  if redis.call('HGET', key('job', id), 'worker') == ARGV[1] then
    redis.call('ZADD', key('leases'), now, id)
    abandoned[#abandoned + 1] = id
  end
end
table.sort(abandoned)
return abandoned
