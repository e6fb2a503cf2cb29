-- Write the one final state, its event and what its webhook is to hear.
-- ARGV: id, attempt, move, artifacts, receipt or '', failure or '', device seconds, data of the event
-- Answers the record, or nothing to a stale attempt.
local id, attempt, name, artifacts, receipt, failure, seconds, data = unpack(ARGV)
local job = load_job(id)
if not held_by(job, attempt) then return false end
set(job, 'artifacts', artifacts, 'receipt', receipt, 'failure', failure)
settle(job, tonumber(seconds))
if name == 'succeed' then learn(job, tonumber(seconds)) end
move(job, name, data)
-- An attempt before this one, now lost, may have stored pictures of what is not to be shown.
if name == 'block' and job.attempt > 1 then leave_pictures(id) end
return record(id)
