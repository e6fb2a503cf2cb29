-- Extend leases.
-- ARGV: id, attempt, id, attempt...
-- Answers one word for each: kept, canceled or lost.
local words = {}
for i = 1, #ARGV, 2 do
  local job = load_job(ARGV[i])
  if held_by(job, ARGV[i + 1]) then
    redis.call('ZADD', key('leases'), now + RULES.lease_ms, job.id)
    if job.fate then redis.call('HDEL', key('job', job.id), 'fate') end
    words[#words + 1] = 'kept'
  elseif job and job.state == 'canceled' and job.attempt == tonumber(ARGV[i + 1]) then
    words[#words + 1] = 'canceled'
  else
    words[#words + 1] = 'lost'
  end
end
return words
