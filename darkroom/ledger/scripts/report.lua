-- Append a progress event, unless the attempt is stale.
-- ARGV: id, attempt, progress
local job = load_job(ARGV[1])
if held_by(job, ARGV[2]) then
  set(job, 'progress', ARGV[3])
  emit(job.id, 'progress', ARGV[3])
end
