import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { answerTo } from '../../src/kernel/answer-to.ts'
import { BROKEN, type BrokenServer, brokenServer, headAlone } from '../support/broken-answers.ts'

let server: BrokenServer
const agents: Agent[] = []
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy()
  await server.close()
})

function asked(keepAlive = false): Promise<IncomingMessage> {
  const agent = new Agent({ keepAlive })
  agents.push(agent)
  const out = request({ port: server.port, host: '127.0.0.1', method: 'POST', agent })
  out.end('x')
  return answerTo(out)
}

test.each(Object.entries(BROKEN))('a server that %s has not answered, kept-alive or not', async (_what, act) => {
  server = await brokenServer(act)
  for (const keepAlive of [false, true]) await expect(asked(keepAlive)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('an answer whose connection closes after its head is there, and its body is cut off', async () => {
  server = await brokenServer(headAlone)
  const answer = await asked()
  expect(answer.statusCode).toBe(200)
  await expect(text(answer)).rejects.toThrow()
})
