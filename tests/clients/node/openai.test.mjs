// openai-node and the AI SDK, with both of its providers.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateImage } from 'ai'
import OpenAI, { toFile } from 'openai'

globalThis.AI_SDK_LOG_WARNINGS = false
const { DARKROOM_URL: url, DARKROOM_API_KEY: apiKey } = process.env
const baseURL = `${url}/v1`
const client = new OpenAI({ apiKey, baseURL })
const prompt = 'a red circle on a white background'

const bytesOf = (b64) => Buffer.from(b64, 'base64')
const sizeOf = (png) => `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`

async function circle() {
  const made = await client.images.generate({ prompt, seed: 7, steps: 4 })
  return bytesOf(made.data[0].b64_json)
}

test('words become pictures', async () => {
  const made = await client.images.generate({ prompt, size: '192x128', n: 2, seed: 7, steps: 4 })
  assert.deepEqual(made.data.map((each) => sizeOf(bytesOf(each.b64_json))), ['192x128', '192x128'])
  assert.equal(made.usage.input_tokens, 7)
})

test('a link needs no key', async () => {
  const made = await client.images.generate({ prompt, response_format: 'url', steps: 3 })
  const answer = await fetch(made.data[0].url)
  assert.equal(answer.headers.get('content-type'), 'image/png')
})

test('a picture becomes another, as a file or a list of them', async () => {
  const png = await toFile(await circle(), 'a.png', { type: 'image/png' })
  const one = await client.images.edit({ image: png, prompt, steps: 3 })
  const listed = await client.images.edit({ image: [png], prompt, steps: 3 })
  for (const made of [one, listed]) assert.equal(sizeOf(bytesOf(made.data[0].b64_json)), '128x128')
})

test('a stream ends with the picture', async () => {
  const stream = await client.images.generate({ prompt, stream: true, partial_images: 2, steps: 5 })
  const types = []
  for await (const event of stream) types.push(event.type)
  assert.equal(types.at(-1), 'image_generation.completed')
})

test('a refusal has its class and its field, and is asked once', async () => {
  let asked = 0
  const counting = new OpenAI({ apiKey, baseURL, fetch: (...all) => { asked += 1; return fetch(...all) } })
  await assert.rejects(counting.images.generate({ prompt, size: '1024x1024' }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError)
    assert.deepEqual([error.code, error.param], ['invalid_value', 'size'])
    return true
  })
  assert.equal(asked, 1)
})

const models = {
  '@ai-sdk/openai': createOpenAI({ apiKey, baseURL }).image('gpt-image-1'),
  '@ai-sdk/openai, a model of ours': createOpenAI({ apiKey, baseURL }).image('tiny'),
  '@ai-sdk/openai-compatible': createOpenAICompatible({ name: 'darkroom', apiKey, baseURL }).imageModel('tiny'),
}

for (const [name, model] of Object.entries(models)) {
  test(`${name} makes pictures`, async () => {
    const made = await generateImage({ model, prompt, size: '128x128', n: 1 })
    assert.equal(sizeOf(Buffer.from(made.image.uint8Array)), '128x128')
  })

  test(`${name} edits pictures`, async () => {
    const made = await generateImage({ model, prompt: { text: prompt, images: [await circle()] }, n: 1 })
    assert.equal(sizeOf(Buffer.from(made.image.uint8Array)), '128x128')
  })
}

test('ours are taken beside the others', async () => {
  const model = models['@ai-sdk/openai-compatible']
  const asked = { model, prompt, size: '128x128', providerOptions: { darkroom: { seed: 7, steps: 4 } } }
  assert.equal(sizeOf(Buffer.from((await generateImage(asked)).image.uint8Array)), '128x128')
})

test('the AI SDK is told what is wrong', async () => {
  const model = models['@ai-sdk/openai-compatible']
  await assert.rejects(generateImage({ model, prompt, size: '1024x1024' }), /from 128 to 512/)
})
