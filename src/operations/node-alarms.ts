import { statfs } from 'node:fs/promises'
import { createLoop, type Loop } from '../jobs/loop.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import { endsSoon, isNearlyFull, isOldBackup } from './alarm-checks.ts'
import { createWebhook } from './alarm-webhook.ts'
import { type Alarms, createAlarms } from './alarms.ts'
import { lastBackup } from './notes.ts'

const EVERY_MS = 5_000
const UNPUBLISHED_SECONDS = 60

export interface NodeAlarmOptions {
  settings: {
    dataDir: string
    anchorDir: string | undefined
    backupHours: number
    alarmWebhookUrl: string | undefined
    alarmWebhookSecret: string | undefined
  }
  clock: Clock
  log: Log
  /** Our public origin. */
  node: string
  halted(): boolean
  healthy(): boolean
  /** Whether look-ups follow the log. */
  following(): boolean
  /** Seconds since the oldest checkpoint was signed that is not published; witnesses of the policy. */
  published(): Promise<{ unpublished: number; witnesses: { wanted: number; answering: number } }>
  /** Rejects if the anchor is out of reach. */
  readAnchor(): Promise<unknown>
  /** Whether somebody's use of tokens is unusual today: how much is evaluated, and how little is found. */
  unusual: { evaluations(): Promise<boolean>; lookUps(): boolean }
  /** Acts of one person that nobody has looked at in time. */
  unreviewed(): Promise<number>
  /** Approved acts that were not carried out at their time. */
  overdue(): Promise<number>
  /** Whether the last purge of what is over failed. */
  purgeFailing(): boolean
  /** PEM of what is served, and of those above it. */
  certificates: string
}

export interface NodeAlarms {
  alarms: Alarms
  loop: Loop
  /** After the loop: what waits to be told is dropped. */
  close(): Promise<void>
}

/** The alarms of a node, looked at every five seconds. */
export function createNodeAlarms(options: NodeAlarmOptions): NodeAlarms {
  const { settings, clock, log, node } = options
  const { alarmWebhookUrl: url, alarmWebhookSecret: secret } = settings
  const webhook =
    url === undefined ? undefined : createWebhook({ url, secret, node, log, clock, newId: () => newId(clock()) })
  const alarms = createAlarms({
    ...{ clock, log },
    onChange: (change) => webhook?.send(change),
    checks: {
      'log-halted': () => options.halted(),
      'log-behind': () => !options.halted() && !options.healthy(),
      'look-ups-behind': () => !options.following(),
      'checkpoint-unpublished': async () => (await options.published()).unpublished > UNPUBLISHED_SECONDS,
      'witness-missing': async () => {
        const { wanted, answering } = (await options.published()).witnesses
        return answering < wanted
      },
      'anchor-unreachable': () =>
        options.readAnchor().then(
          () => false,
          () => true,
        ),
      'disk-full': (before) => anyNearlyFull([settings.dataDir, settings.anchorDir], before),
      'certificate-ends': () => endsSoon(options.certificates, new Date()),
      'purge-failing': () => options.purgeFailing(),
      'evaluations-high': () => options.unusual.evaluations(),
      'look-ups-without-hits': () => options.unusual.lookUps(),
      'emergency-unreviewed': async () => (await options.unreviewed()) > 0,
      'scheduled-overdue': async () => (await options.overdue()) > 0,
      'backup-old': () =>
        isOldBackup({ last: lastBackup(settings.dataDir), hours: settings.backupHours, now: clock() }),
    },
  })
  const loop = createLoop({
    round: async () => {
      await alarms.round()
      return false
    },
    idleMs: EVERY_MS,
    onError: (error) => log.error({ name: 'alarms', error }, 'a loop failed'),
  })
  return { alarms, loop, close: async () => webhook?.stop() }
}

async function anyNearlyFull(folders: readonly (string | undefined)[], before: boolean): Promise<boolean> {
  for (const folder of folders) {
    if (folder === undefined) continue
    const { blocks, bavail } = await statfs(folder)
    if (isNearlyFull({ blocks, available: bavail }, before)) return true
  }
  return false
}
