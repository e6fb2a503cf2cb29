// replicate, as its users call it with a base URL of their own.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import Replicate, { validateWebhook } from 'replicate'

const { DARKROOM_URL: url, DARKROOM_API_KEY: auth, RECEIVER_PORT: port } = process.env
const replicate = new Replicate({ auth, baseUrl: `${url}/replicate/v1` })
const model = 'stability-ai/tiny'
const input = { prompt: 'a red circle on a white background', num_inference_steps: 4, seed: 7 }

async function isPng(file) {
  const bytes = Buffer.from(await (await file.blob()).arrayBuffer())
  return bytes.subarray(1, 4).toString() === 'PNG'
}

test('run gives files, and calls back with progress', async () => {
  const seen = []
  const output = await replicate.run(model, { input }, (prediction) => seen.push(prediction.status))
  assert.equal(output.length, 1)
  assert.equal(await isPng(output[0]), true)
  assert.equal(seen.at(-1), 'succeeded')
})

test('run polls where it is told to', async () => {
  const output = await replicate.run(model, { input, wait: { mode: 'poll', interval: 100 } })
  assert.equal(await isPng(output[0]), true)
})

test('what is waited for too shortly is waited for on', async () => {
  const long = { ...input, num_inference_steps: 60 }
  const output = await replicate.run(model, { input: long, wait: { mode: 'block', timeout: 1 } })
  assert.equal(await isPng(output[0]), true)
})

test('pictures are uploaded by the client', async () => {
  const [made] = await replicate.run(model, { input })
  const image = await made.blob()
  const output = await replicate.run(model, { input: { ...input, image, prompt_strength: 0.5 } })
  assert.equal(await isPng(output[0]), true)
  const file = await replicate.files.create(image, { for: 'later' })
  assert.equal((await replicate.files.get(file.id)).content_type, 'image/png')
})

test('a stream is heard without the key', async () => {
  const names = []
  for await (const event of replicate.stream(model, { input })) names.push(event.event)
  assert.deepEqual(names.slice(-2), ['output', 'done'])
})

test('predictions are listed, models are known, and refusals tell why', async () => {
  const pages = []
  for await (const page of replicate.paginate(replicate.predictions.list)) pages.push(...page)
  assert.equal(pages.every((each) => each.model === 'darkroom/tiny'), true)
  assert.equal((await replicate.models.get('a', 'tiny')).name, 'tiny')
  await assert.rejects(replicate.run(model, { input: { ...input, width: 1024 } }), /input\.width: must be from 128 to 512/)
})

test('webhooks are signed as the client checks them', async () => {
  const told = new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (piece) => { body += piece })
      request.on('end', () => {
        response.end()
        server.close()
        resolve({ headers: request.headers, body })
      })
    })
    server.on('error', reject)
    server.listen(Number(port), '127.0.0.1')
  })
  const webhook = `http://127.0.0.1:${port}/`
  await replicate.predictions.create({ model, input, webhook, webhook_events_filter: ['completed'] })
  const { key } = await replicate.webhooks.default.secret.get()
  const { headers, body } = await told
  assert.equal(JSON.parse(body).status, 'succeeded')
  assert.equal(await validateWebhook({ headers, body }, key), true)
  assert.equal(await validateWebhook({ headers, body: body.replace('succeeded', 'failed') }, key), false)
})
