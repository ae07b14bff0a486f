import { test } from 'vitest'
import { aProcessNode } from '../support/process-node.ts'
import { aHistory } from './history.ts'
import { seededRandom } from './random.ts'
import { prepare, send } from './sender.ts'
const t0 = performance.now()
const say = (x: string) => process.stdout.write(`${Math.round(performance.now() - t0)} ${x}\n`)
test('x', { timeout: 220_000 }, async () => {
  const n = await aProcessNode({ LOG_LEVEL: 'info' })
  try {
    await n.start(); say('started')
    const apple = await n.member('apple'); say('member')
    const c = apple.connect()
    const history = aHistory()
    const random = seededRandom('x')
    const audience = (await c.audiences()).audiences[0]?.audience as never
    const prepared = await prepare({ home: apple, audience, random, items: 3000, history })
    for (let k = 0; k < 6; k++) {
      const pid = n.postmaster() ?? 0
      const t = performance.now()
      const from = await c.nextLine(prepared.upload).catch((e) => { say(String(e)); return 1n })
      say(`from ${from} ${Math.round(performance.now() - t)}`)
      const at = from + 100n
      const e = await send({ client: c, prepared, from, history, onLine: (l) => { if (l === at) { say('kill ' + pid); process.kill(pid, 'SIGKILL') } } })
      say('send ended ' + e)
      for (let i = 0; i < 300 && (n.postmaster() === pid || !(await n.ready())); i++) await new Promise((r) => setTimeout(r, 50))
      say('ready? ' + n.postmaster() + await n.ready())
    }
    c.close()
    say(n.said().slice(-6000))
  } finally { await n.destroy(); say('destroyed') }
})
