-- Keep the latest preview frame of an image, unless the attempt is stale. The twin of darkroom/ledger/previews.py.
-- ARGV: id, attempt, index, JPEG
local job = load_job(ARGV[1])
if held_by(job, ARGV[2]) then
  redis.call('HSET', key('previews', job.id), ARGV[3], ARGV[4])
  redis.call('PEXPIRE', key('previews', job.id), RULES.preview_ttl_ms)
end
