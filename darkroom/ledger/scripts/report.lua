-- Append a progress event to each of these jobs, unless the attempt is stale.
-- ARGV: id, attempt, progress; and so on
for i = 1, #ARGV, 3 do
  local job = load_job(ARGV[i])
  if held_by(job, ARGV[i + 1]) then
    set(job, 'progress', ARGV[i + 2])
    emit(job.id, 'progress', ARGV[i + 2])
  end
end
