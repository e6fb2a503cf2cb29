-- Hand a job back to its place in line, unless the attempt is stale. The attempt will not count, but its number is
-- never used again: it fences.
-- ARGV: id, attempt
local job = load_job(ARGV[1])
if held_by(job, ARGV[2]) then
  set(job, 'handed_back', job.handed_back + 1)
  put_back(job, 'release', 'released')
end
