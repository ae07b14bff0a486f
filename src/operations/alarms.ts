import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'

/** What an operator must look at; each with what to do first. */
export const ALARMS = {
  'log-halted': 'nothing is signed: read the reason in the log of the process',
  'log-behind': 'the log can be neither written nor signed: look at the database and the disk',
  'look-ups-behind': 'feeds and look-ups do not follow the log: read in the log of the process why its loop fails',
  'checkpoint-unpublished': 'a checkpoint waits for its witnesses for more than 60 seconds',
  'witness-missing': 'a witness of the policy does not answer',
  'anchor-unreachable': 'ANCHOR_DIR cannot be read: nothing is signed until it can',
  'disk-full': 'less than a twentieth is free where DATA_DIR or ANCHOR_DIR is',
  'certificate-ends': "within 14 days: restart the node, which renews its own; for the issuer's, aldis ca renew first",
  'emergency-unreviewed': 'a suspension or revocation of one person waits for another one for more than a day',
  'scheduled-overdue': 'an approved act was not carried out at its time: Approvals in the console tells which',
  'backup-old': 'the last aldis backup is older than BACKUP_HOURS',
  'purge-failing': 'what is over by the retention policy could not be removed: read the log of the process',
  'evaluations-high': 'a participant has used four fifths of a quota of the day: ask it why',
  'look-ups-without-hits': 'a participant asks for many keys and finds almost none today: it may be guessing',
  'checks-failing': 'one of these could not be found out; the log of the process names it',
} as const

export type AlarmName = keyof typeof ALARMS
export type Checked = Exclude<AlarmName, 'checks-failing'>

/** A change of one alarm. */
export interface AlarmChange {
  name: AlarmName
  state: 'raised' | 'cleared'
  at: Date
}

/** Whether the alarm holds, given whether it held before; throws where that cannot be found out. */
export type Check = (before: boolean) => boolean | Promise<boolean>

export interface AlarmOptions {
  checks: Readonly<Record<Checked, Check>>
  clock: Clock
  log: Log
  onChange(change: AlarmChange): void
  /** Milliseconds that a check may take; one that takes longer is waited for, and not begun again meanwhile. */
  checkMs?: number
}

export interface Alarms {
  /** Looks at everything once; each change is told once. */
  round(): Promise<void>
  /** Whether each holds. */
  states(): Readonly<Record<AlarmName, boolean>>
}

const CHECK_MS = 5_000

export function createAlarms({ checks, clock, log, onChange, checkMs = CHECK_MS }: AlarmOptions): Alarms {
  const held = new Map<AlarmName, boolean>()
  const names = Object.keys(checks) as Checked[]
  const pending = new Set<Checked>()

  const set = (name: AlarmName, holds: boolean): void => {
    if ((held.get(name) ?? false) === holds) return
    held.set(name, holds)
    const change: AlarmChange = { name, state: holds ? 'raised' : 'cleared', at: clock() }
    if (holds) log.error({ name }, `alarm raised: ${ALARMS[name]}`)
    else log.info({ name }, 'alarm cleared')
    onChange(change)
  }

  /** Undefined where it takes too long. A folder that hangs holds a thread of the process: one, and no more with each round. */
  const checked = async (name: Checked): Promise<boolean | undefined> => {
    if (pending.has(name)) return undefined
    pending.add(name)
    const run = (async () => checks[name](held.get(name) ?? false))().finally(() => pending.delete(name))
    return within(checkMs, run)
  }

  /** An alarm that cannot be looked at stays as it was, and that is an alarm of its own. */
  const look = async (name: Checked): Promise<boolean> => {
    try {
      const holds = await checked(name)
      // What does not answer is out of reach.
      if (holds === undefined && name !== 'anchor-unreachable') throw new Error(`took longer than ${checkMs} ms`)
      set(name, holds ?? true)
      return true
    } catch (error) {
      log.warn({ name, error }, 'an alarm could not be looked at')
      return false
    }
  }

  return {
    async round() {
      const seen = await Promise.all(names.map(look))
      set('checks-failing', seen.includes(false))
    },
    states: () =>
      Object.fromEntries((Object.keys(ALARMS) as AlarmName[]).map((name) => [name, held.get(name) ?? false])) as Record<
        AlarmName,
        boolean
      >,
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), ms)
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
