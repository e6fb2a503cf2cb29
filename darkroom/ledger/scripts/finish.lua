-- Write the one final state, its event and what its webhook is to hear.
-- ARGV: id, attempt, move, artifacts, receipt or '', failure or '', device seconds, data of the event
-- Answers the record, or nothing to a stale attempt.
local id, attempt, name, artifacts, receipt, failure, seconds, data = unpack(ARGV)
local job = load_job(id)

-- Whether this attempt has said so before, and the answer was lost on its way.
local function said_before()
  if not job or job.attempt ~= tonumber(attempt) or job.state ~= TRANSITIONS['running ' .. name].state then return end
  local kept = redis.call('HMGET', key('job', id), 'artifacts', 'receipt', 'failure')
  return kept[1] == artifacts and kept[2] == receipt and kept[3] == failure
end

if said_before() then return record(id) end
if not held_by(job, attempt) then return false end
set(job, 'artifacts', artifacts, 'receipt', receipt, 'failure', failure)
settle(job, tonumber(seconds))
if name == 'succeed' then learn(job, tonumber(seconds)) end
move(job, name, data)
-- An attempt before this one, now lost, may have stored pictures of what is not to be shown.
if name == 'block' and job.attempt > 1 then leave_pictures(id) end
return record(id)
