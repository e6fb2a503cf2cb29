// A picture from JavaScript with nothing but `fetch`, in a browser or in Node 20 and newer.
//
//     node examples/fetch.mjs            leaves star.png in the folder you are in
//
// DARKROOM_URL is where the service is; DARKROOM_API_KEY your key, where it wants one. Pages of another origin than the
// service's may ask where DARKROOM_CORS_ORIGINS names theirs; keep keys out of pages that strangers load.

const WAITED = 30 // seconds that a request stays open for the pictures
const OPEN = new Set(['queued', 'running'])

/** What the gateway answered, or an Error with its `problem`: match on `error.problem.code`. */
async function read(answer) {
  const told = await answer.json()
  if (answer.ok) return told
  throw Object.assign(new Error(`${told.code}: ${told.detail}`), { problem: told })
}

/**
 * One generation, once it has ended: `fields` as `POST /api/v1/generations` takes them. Aborting `signal` stops waiting.
 */
export async function generate(url, fields, { key, signal } = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {}
  const answer = await fetch(`${url}/api/v1/generations`, {
    method: 'POST',
    // With this key, a request that is sent again after a broken connection makes nothing twice.
    headers: { ...headers, 'Content-Type': 'application/json', Prefer: `wait=${WAITED}`, 'Idempotency-Key': newKey() },
    body: JSON.stringify(fields),
    signal,
  })
  let generation = await read(answer)
  while (OPEN.has(generation.state)) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    generation = await read(await fetch(generation.links.self, { headers, signal }))
  }
  if (generation.state !== 'succeeded') throw new Error(generation.failure?.message ?? generation.state)
  return generation
}

/** The bytes of one of its pictures, as a Blob. */
export async function picture(generation, { key, index = 0 } = {}) {
  const answer = await fetch(generation.images[index].url, { headers: key ? { Authorization: `Bearer ${key}` } : {} })
  if (!answer.ok) await read(answer)
  return answer.blob()
}

/** Not `crypto.randomUUID`: browsers have that on https and localhost alone. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function main() {
  const { writeFile } = await import('node:fs/promises')
  const { DARKROOM_URL: url = 'http://127.0.0.1:8000', DARKROOM_API_KEY: key } = process.env
  const generation = await generate(url, { prompt: 'a blue star on a yellow background', seed: 7 }, { key })
  await writeFile('star.png', Buffer.from(await (await picture(generation, { key })).arrayBuffer()))
  console.log('star.png', generation.images[0].width, generation.images[0].height, generation.images[0].watermark_id)
}

if (globalThis.process?.argv[1]?.endsWith('fetch.mjs')) await main()
