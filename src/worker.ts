/** The thread of the log's loops: see `backgroundThread`. */
import { parentPort, workerData } from 'node:worker_threads'
import { backgroundHere, type Handed, type News, type Order } from './background.ts'
import { joinBase, openCore } from './core.ts'
import { systemClock } from './kernel/clock.ts'
import { release } from './kernel/collect.ts'
import { createLog } from './kernel/log.ts'

const AGE_EVERY_MS = 1_000

const { url, config } = workerData as Handed
const port = parentPort
if (port === null) throw new Error('this is no program of its own')
const tell = (news: News): void => port.postMessage(news)

const log = createLog({ level: config.logLevel })
const base = joinBase(url, { config, clock: systemClock })
const wake = { integrate: () => {} }
// Requests are what a log that is behind refuses, and those are of the other thread.
const core = await openCore(base, { onWake: () => wake.integrate(), healthy: () => true, log })
const background = backgroundHere(
  core,
  {
    onCarried: (carried) => tell({ news: 'carried', carried }),
    onPublished: () => tell({ news: 'published' }),
    onHalted: (reason) => tell({ news: 'halted', reason }),
  },
  log,
)
wake.integrate = background.wake
const ages = setInterval(
  () => tell({ news: 'age', ms: background.age(), projectMs: background.projectAge() }),
  AGE_EVERY_MS,
)

const obey: Readonly<Record<Order, () => unknown>> = {
  async start() {
    core.authority.start()
    await background.start()
    release()
    tell({ news: 'started' })
  },
  wake: background.wake,
  async stop() {
    clearInterval(ages)
    await background.stop()
    await core.authority.stop()
    await base.close()
    port.close()
  },
}
port.on('message', (order: Order) => void obey[order]())
