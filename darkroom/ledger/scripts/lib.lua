-- What all scripts share. Above it `darkroom/ledger/lua.py` has written RULES, TRANSITIONS, UNTOLD, EXHAUSTED,
-- LEASE_LOST, PACE and now_ms().
--
-- KEYS[1] is the prefix, a hash tag such as {darkroom}: all keys built on it lie in one slot.
--   job:ID                              hash, the record
--   events:ID                           stream, the job's history; its ids are what SSE clients resume from
--   previews:ID                         hash, while it runs, the latest JPEG by image; ends by itself RULES.preview_ttl_ms
--                                       after the last of them
--   line:PRIORITY:MODEL:TENANT          sorted set, ids by place in line; PRIORITY-alone: of jobs to be run alone
--   turn:PRIORITY:MODEL                 sorted set by the level of their account, "PLACE TENANT" of those with a line
--                                       here and the first place in it; likewise
--   seats:PRIORITY:MODEL                hash, the member of it by tenant; likewise
--   desk:PRIORITY:MODEL                 set, what an older version keeps in their stead
--   account:PRIORITY:MODEL:TENANT       hash, decayed device seconds
--   since:MODEL                         sorted set by time of submission, of jobs that wait
--   waiting, waiting_by_tenant          hashes, jobs in line by model and by tenant
--   backlog                             hash, milliseconds that jobs in line are expected to take, by "PRIORITY:MODEL"
--   backlog_by_tenant, backlog_by_line  hashes, the same by tenant and by "PRIORITY:MODEL:TENANT"
--   running, running_by_tenant          hashes, milliseconds of running jobs by model, running jobs by tenant
--   weights, most_running               hashes, what a tenant was granted, where it is not what all have
--   pace                                hash, measured over predicted seconds, by model
--   leases, deadlines, ended            sorted sets by time: what `reap` looks at
--   delayed                             sorted set by time, of jobs that wait but may not join their line before
--   untold                              hash, jobs ended by others than workers since the last sweep, by "STATE CODE MODEL"
--   held:WORKER                         set, the jobs it holds
--   emptying                            hash, by model "UNTIL WORKER": who empties its hand for a job to be run alone
--   jobs:TENANT, dead:TENANT            sorted sets in lexical order, the tenant's job ids; those given up
--   use:DIGEST                          hash, the first use of an idempotency key
--   serving:MODEL                       sorted set, workers by when their word runs out; ends with the last of them
--   serves:WORKER                       set, models it said it serves; ends with its word
--   served                              set, models with the first of these
--   serving                             sorted set, "MODEL WORKER", what an older version keeps in their stead
--   allowance:DIGEST                    string, when a caller's allowance will be whole again
--   preferences:KIND:TENANT             hash, what a tenant wants where its requests say nothing, as JSON by name;
--                                       `@used`: when it was last asked for, to about a day
--   delivery:ID, attempts:ID            hash and list, that a receiver is to be told something, and the attempts at it
--   bodies:ID                           hash, by delivery what receivers are told of a job; it ends with the job's record
--   deliveries:TENANT                   sorted set, the tenant's delivery ids by when they were made
--   due:LANE                            sorted set, pending delivery ids by when one may be taken; a lane is "HOST TENANT"
--   lanes                               sorted set, lanes by when the first of them may be
--   deliveries_ended                    sorted set, "ID:TENANT" by end: what `reap` forgets
--   disabled:TENANT                     hash, URLs that want nothing more, and since when
--   leftovers                           stream, keys in the store at which forgotten records, or blocked ones, may have left pictures
--   leftovers_lent                      sorted set by time, rows of it that a courier has, and until when
--   places, turns                       counters
local now = now_ms()

local function key(...)
  return table.concat({KEYS[1], ...}, ':')
end

local function load_job(id)
  local names = {'tenant', 'model', 'priority', 'state', 'worker', 'fate', 'place', 'attempt', 'handed_back', 'deadline',
    'predicted', 'expected', 'weight', 'charge', 'alone', 'not_before', 'created_at'}
  local values = redis.call('HMGET', key('job', id), unpack(names))
  if not values[1] then return nil end
  local job = {id = id}
  for i, name in ipairs(names) do job[name] = i <= 6 and values[i] or tonumber(values[i]) end
  job.expected, job.weight = job.expected or 0, job.weight or 1  -- of a job that an older version took in
  return job
end

local function set(job, ...)
  redis.call('HSET', key('job', job.id), ...)
end

local function record(id)
  return redis.call('HGETALL', key('job', id))
end

-- Have them deleted. A record that is damaged, or of an older version, must not end a sweep for all others.
local function leave_pictures(id)
  local pictures = redis.call('HGET', key('job', id), 'pictures')
  if pictures then redis.call('XADD', key('leftovers'), '*', 'keys', pictures) end
end

local function held_by(job, attempt)
  return job and job.state == 'running' and job.attempt == tonumber(attempt)
end

local function overdue(job)
  return job.deadline and job.deadline <= now
end
