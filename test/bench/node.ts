/**
 * The node as `src/main.ts` starts it, in a process of its own that the generator speaks to over its channel. What is added
 * is here: raised limits, routes to compare with, and a listener without client certificates.
 */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { createNode } from '../../src/app.ts'
import { backgroundThread } from '../../src/background.ts'
import { loadConfig } from '../../src/config.ts'
import { openBase } from '../../src/core.ts'
import { stop } from '../../src/http/shutdown.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { collect } from '../../src/kernel/collect.ts'
import { createLog } from '../../src/kernel/log.ts'
import type { Parts } from '../../src/parts.ts'
import { CONNECTIONS, REQUESTS } from './limits.ts'
import type { Ask, Told, Usage } from './node-process.ts'
import { openPlainListener, referenceRoutes } from './reference.ts'

const RSS_EVERY_MS = 200

const config = loadConfig(process.env)
const log = createLog({ level: config.logLevel })
const base = await openBase({ config, clock: systemClock, log })
const late: { parts?: Parts } = {}
const node = await createNode(base, log, {
  startBackground: backgroundThread,
  measuring: {
    connections: CONNECTIONS,
    requests: REQUESTS,
    routes: async (app) => {
      if (late.parts === undefined) throw new Error('the listener began before its parts were there')
      await app.register(referenceRoutes(late.parts))
    },
  },
})
late.parts = node.parts
const { partner, enrol } = await node.listen()
collect()
const plain = await openPlainListener(node.parts, log)

let peak = 0
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss())
}, RSS_EVERY_MS).unref()

const session = new Session()
session.connect()

const answers: Readonly<Record<Ask['ask'], (path: string) => Promise<unknown>>> = {
  usage: async (): Promise<Usage> => {
    const { user, system } = process.cpuUsage()
    const usage = { cpu: (user + system) / 1e6, peak: Math.max(peak, process.memoryUsage.rss()) }
    peak = 0
    return usage
  },
  'start-profile': async () => {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 500 })
    await session.post('Profiler.start')
  },
  'stop-profile': async (path) => {
    const { profile } = await session.post('Profiler.stop')
    writeFileSync(path, JSON.stringify(profile))
  },
  stop: async () => {
    await plain.close()
    return stop(node.shutdown, { log, noticeMs: 0, requestsMs: 1_000 })
  },
}

process.on('message', ({ id, ask, path }: Ask) => {
  answers[ask](path).then(
    (answer) => tell({ id, answer }, ask === 'stop'),
    (error: unknown) => tell({ id, error: String(error) }),
  )
})
// A generator that is gone leaves nothing running.
process.on('disconnect', () => process.exit(1))
tell({ addresses: { partner, enrol, plain: plain.origin } })

function tell(told: Told, last = false): void {
  process.send?.(told, undefined, undefined, () => {
    if (last) process.exit(0)
  })
}
