// @huggingface/inference, as its users call it with an endpoint of their own.
import assert from 'node:assert/strict'
import test from 'node:test'
import { InferenceClient } from '@huggingface/inference'

const { DARKROOM_URL: url, DARKROOM_API_KEY: key } = process.env
const client = new InferenceClient(key, { endpointUrl: `${url}/hf/models/someone/tiny` })
const inputs = 'a red circle on a white background'

async function formatOf(blob) {
  const bytes = Buffer.from(await blob.arrayBuffer())
  return { png: bytes.subarray(1, 4).toString() === 'PNG', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
}

test('words become a picture', async () => {
  const made = await client.textToImage({ inputs, parameters: { num_inference_steps: 3, seed: 1, width: 192 } })
  assert.equal(made.type, 'image/png')
  assert.deepEqual(await formatOf(made), { png: true, width: 192, height: 128 })
})

test('a picture is to be had as a data URL', async () => {
  const made = await client.textToImage({ inputs, parameters: { num_inference_steps: 2 } }, { outputType: 'dataUrl' })
  assert.equal(made.split(',')[1].slice(0, 11), 'iVBORw0KGgo', 'the package calls it a JPEG, whatever it is')
})

test('a picture becomes another, with words or without', async () => {
  const start = await client.textToImage({ inputs, parameters: { num_inference_steps: 3, seed: 1 } })
  const parameters = { prompt: 'a blue square', strength: 0.5, num_inference_steps: 4 }
  assert.equal((await formatOf(await client.imageToImage({ inputs: start, parameters }))).png, true)
  assert.equal((await formatOf(await client.imageToImage({ inputs: start }))).png, true)
})

test('a refusal tells why, and is asked once', async () => {
  let asked = 0
  const fetch = (...all) => { asked += 1; return globalThis.fetch(...all) }
  await assert.rejects(client.textToImage({ inputs, parameters: { width: 1024 } }, { fetch }), (error) => {
    assert.match(error.message, /parameters\.width: must be from 128 to 512 for tiny/)
    assert.equal(error.httpResponse.status, 422)
    return true
  })
  assert.equal(asked, 1)
})

test('an unknown model is told with those that are known', async () => {
  const other = new InferenceClient(key, { endpointUrl: `${url}/hf/models/someone/else` })
  await assert.rejects(other.textToImage({ inputs }), /known: tiny/)
})
