-- Change what a tenant prefers, and answer all of it, which is then kept for RULES.preferences_ttl_ms more. The twin of
-- darkroom/ledger/preferences.py.
-- ARGV: kind, tenant; then a name and its value, empty to take it back; and so on.
-- Answers names and values, or nothing when they would be too many.
local place = key('preferences', ARGV[1], ARGV[2])
local used = tonumber(redis.call('HGET', place, '@used') or now)
if used + RULES.preferences_ttl_ms <= now then redis.call('DEL', place) end

local kept, fields = {}, redis.call('HGETALL', place)
for i = 1, #fields, 2 do kept[fields[i]] = fields[i + 1] end
kept['@used'] = nil
for i = 3, #ARGV, 2 do kept[ARGV[i]] = ARGV[i + 1] ~= '' and ARGV[i + 1] or nil end
local answer = {}
for name, value in pairs(kept) do
  answer[#answer + 1] = name
  answer[#answer + 1] = value
end
if #answer > 2 * RULES.max_preferences then return false end

-- Whoever only looks, looks often: a day more or less is not written down.
if #ARGV > 2 or (#answer > 0 and now - used > RULES.preferences_ttl_ms / 90) then
  redis.call('DEL', place)
  if #answer > 0 then
    redis.call('HSET', place, '@used', now, unpack(answer))
    redis.call('PEXPIRE', place, RULES.preferences_ttl_ms)
  end
end
return answer
