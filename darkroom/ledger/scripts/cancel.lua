-- Cancel a tenant's job; a terminal one stays as it is.
-- ARGV: id, tenant
-- Answers the record, or nothing when the tenant has no such job.
local job = load_job(ARGV[1])
if not job or job.tenant ~= ARGV[2] then return false end
move(job, 'cancel')
return record(job.id)
