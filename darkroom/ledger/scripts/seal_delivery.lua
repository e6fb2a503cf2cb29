-- Fix what a message says, once. It holds what the record does, and so is kept no longer than that.
-- ARGV: id, body
-- Answers the body it has from now on, or nothing where there is no such delivery, or no record of its job.
local delivery = load_delivery(ARGV[1])
if not delivery or redis.call('EXISTS', key('job', delivery.job_id)) == 0 then return false end
redis.call('HSETNX', key('bodies', delivery.job_id), delivery.id, ARGV[2])
return redis.call('HGET', key('bodies', delivery.job_id), delivery.id)
