import type { Entry } from './entry.ts'
import type { Faults } from './faults.ts'
import { listIn } from './names.ts'
import { GRACE_MS } from './programme.ts'

/** What an entry says of a code or a key, and in the how manyth log. */
interface Told {
  index: bigint
  time: number
  log: number
  subject: string
  credential: string
  spki: unknown
  scopes: readonly unknown[]
  /** The code that was redeemed. */
  code: unknown
  /** Of a code: until when it could be. */
  to: number
}

/** By what is enrolled. */
interface Enrolled {
  codes: Map<string, Told>
  presented: Told[]
  tls: Told[]
  /** Signing keys that are active though nobody confirmed them, and all of them. */
  active: Told[]
  signing: Told[]
}

/** Why something is not what two persons' word allows, if that is so. */
type Rule = (told: Told) => string | undefined

/**
 * Holds keys that nobody confirms against the codes that two persons gave out: a TLS key redeems a code of its participant, once
 * and in time, or was presented with one before, and takes no other's id; a signing key that is active at once comes with a TLS key, as the first.
 * It is judged at the end: entries of two processes may stand in another order, and those of one act in any.
 */
export function createEnrolments(faults: Faults): { entry(entry: Entry): void; end(): void } {
  const enrolled: Enrolled = { codes: new Map(), presented: [], tls: [], active: [], signing: [] }
  let log = 0
  return {
    entry(entry) {
      // In the log under audit only its first entry says so; those before it were held against their trees.
      if (entry.kind === 'log.opened' && entry.index <= 0n) log += 1
      if (entry.kind === 'credential.enrolled') gather(enrolled, entry, log)
    },
    end() {
      // A code may be redeemed anew in a log that follows: its node may have begun again from an older database.
      const used = new Set<string>()
      const once = ({ log }: Told, what: string): boolean => used.size < used.add(`${log} ${what}`).size
      const judge = (what: string, list: readonly Told[], rule: Rule): void => {
        for (const told of list) {
          const why = rule(told)
          if (why !== undefined) faults.add(`the ${what} ${told.credential} of ${told.subject} ${why}`, told.index)
        }
      }
      const redeemed = redeeming(enrolled, once)
      judge('presented key', enrolled.presented, redeemed)
      const readBack = readingBack(enrolled, once)
      const named = naming()
      judge('TLS key', enrolled.tls, (told) => {
        const taken = named(told)
        return (told.code === undefined ? readBack : redeemed)(told) ?? taken
      })
      judge('signing key', enrolled.active, beginning(enrolled, once))
    },
  }
}

function gather({ codes, presented, tls, active, signing }: Enrolled, entry: Entry, log: number): void {
  const { index, time, fields } = entry
  const use = String(fields.get('use'))
  const told: Told = {
    ...{ index, time, log, subject: String(fields.get('subject')), credential: String(fields.get('credential')) },
    ...{ spki: fields.get('spki'), scopes: listIn(fields.get('scopes')), code: fields.get('code') },
    to: Date.parse(String(fields.get('to'))),
  }
  if (use === 'code') codes.set(told.credential, told)
  if (use === 'presented') presented.push(told)
  if (use === 'tls') tls.push(told)
  if (use.startsWith('sign:')) signing.push(told)
  // What the node makes active two persons confirm by a request.
  if (use === 'sign:active' && fields.get('actor') !== 'node') active.push(told)
}

type Once = (told: Told, what: string) => boolean

const redeeming =
  ({ codes }: Enrolled, once: Once): Rule =>
  (told) => {
    const code = codes.get(String(told.code))
    if (code?.subject !== told.subject) return 'names no code that two persons gave out'
    if (!(told.time < code.to)) return 'names a code that was over'
    if (!isWithin(told, code)) return 'has other scopes than its code'
    return once(told, `code ${told.code}`) ? undefined : 'names a code that was used before'
  }

const readingBack =
  ({ codes, presented }: Enrolled, once: Once): Rule =>
  (told) => {
    const before = presented.find(({ credential }) => credential === told.credential)
    if (before?.subject !== told.subject || before.spki !== told.spki)
      return 'names no code, and was not presented before'
    if (!isWithin(told, codes.get(String(before.code)))) return 'has other scopes than its code'
    return once(told, `presented ${told.credential}`) ? undefined : 'was read back before'
  }

/** An id is of one key; the very same may come again in the log that follows one whose end was lost. */
function naming(): Rule {
  const last = new Map<string, Told>()
  return (told) => {
    const before = last.get(told.credential)
    last.set(told.credential, told)
    const isSame = before?.subject === told.subject && before.spki === told.spki && before.log !== told.log
    return before === undefined || isSame ? undefined : 'has the id of one that was enrolled before'
  }
}

const isWithin = ({ scopes }: Told, code: Told | undefined): boolean =>
  scopes.every((scope) => code?.scopes.includes(scope) === true)

/** Both keys are of one act, and so of one time. */
const beginning =
  ({ tls, signing }: Enrolled, once: Once): Rule =>
  (told) => {
    const own = (one: Told): boolean => one.subject === told.subject && one.log === told.log
    const pin = tls.find((one) => own(one) && one.time === told.time)
    if (pin === undefined || !once(told, `pin ${pin.index}`)) return 'comes with no TLS key, and nobody confirmed it'
    const isLater = signing.some((one) => own(one) && one.time < told.time - GRACE_MS)
    return isLater ? 'is not the first, and nobody confirmed it' : undefined
  }
