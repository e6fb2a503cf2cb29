-- ARGV: id
-- Answers how many of its own line go before a job, or nothing for one that stands in none.
local job = load_job(ARGV[1])
return job and redis.call('ZRANK', line(job), job.id)
