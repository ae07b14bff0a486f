import type { RawLine } from '../../../client/derive.ts'
import type { SignalType } from '../../../signals/schema.ts'
import type { Random } from './random.ts'

type Pattern = NonNullable<RawLine['pattern']>
type Tactic = NonNullable<RawLine['tactic']>

const COLOURS = 'amber azure coral ivory jade lilac maroon olive pearl russet sable teal umber violet'.split(' ')
const THINGS = 'anchor basket candle drum feather kettle ladder lantern paddle ribbon saddle teapot wagon kite'.split(
  ' ',
)
/** Services that nobody runs. */
const SERVICES = ['apricot', 'medlar', 'quince', 'sorb'] as const
/** Of whose exchange 555 the numbers 0100 to 0199 are set aside for fiction (NANPA). */
const AREAS = [201, 202, 212, 213, 303, 312, 404, 415, 503, 512, 602, 617, 702, 713, 801, 808, 907] as const
/** For documentation alone: RFC 5737. */
const NETS = ['192.0.2', '198.51.100', '203.0.113'] as const
const FICTION = 100
const HOSTS = 254

/** Raw values of nobody, the n-th of each type another: reserved domains, networks and numbers, invented names and services. */
export const RAW: Readonly<Record<Exclude<SignalType, 'relation'>, (random: Random, n: number) => RawLine>> = {
  url: (random, n) => ({ type: 'url', raw: `https://${pair(random)}-${n}.example/${random.pick(THINGS)}?from=chat` }),
  domain: (random, n) => ({ type: 'domain', raw: `${pair(random)}-${n}.example` }),
  email: (random, n) => ({ type: 'email', raw: `${pair(random, '.')}.${n}@mail.example` }),
  phone: (_, n) => ({ type: 'phone', raw: phone(n) }),
  username: (random, n) => ({ type: 'username', raw: `@${pair(random, '_')}_${n}`, service: random.pick(SERVICES) }),
  account_id: (random, n) => ({
    ...{ type: 'account_id', raw: `${n}-${random.hex(8)}`, service: random.pick(SERVICES) },
  }),
  payment_handle: (random, n) => ({ type: 'payment_handle', raw: `$${pair(random, '')}${n}`, service: 'cashtag' }),
  ip: (_, n) => ({ type: 'ip', raw: address(n) }),
  keyword_pattern: (random, n) => ({ type: 'keyword_pattern', pattern: patternOf(random.pick(COLOURS), n) }),
  media_hash: (random) => ({ type: 'media_hash', ...media(random) }),
  tactic: (random) => ({ type: 'tactic', tactic: tacticOf(random) }),
}

const pair = (random: Random, between = '-'): string => `${random.pick(COLOURS)}${between}${random.pick(THINGS)}`

/** First those of the United States, then those of Ireland for drama, +353 20 91 (ComReg). */
function phone(n: number): string {
  const area = AREAS[Math.floor(n / FICTION)]
  return area === undefined
    ? `+3532091${String(n % 100_000).padStart(5, '0')}`
    : `+1${area}55501${String(n % FICTION).padStart(2, '0')}`
}

/** Every second one is of 2001:db8::/32 (RFC 3849), and all beyond the networks that there are. */
function address(n: number): string {
  const half = Math.floor(n / 2)
  const net = n % 2 === 0 ? NETS[Math.floor(half / HOSTS)] : undefined
  return net === undefined ? `2001:db8:${n.toString(16)}::1` : `${net}.${(half % HOSTS) + 1}`
}

/** Two words that belong to no code: a colour and a thing, of a number. */
export function patternOf(colour: string, n: number): Pattern {
  const thing = THINGS[n % THINGS.length] ?? 'kite'
  return {
    ...{ kind: 're2', text: `${colour}\\s+${thing}\\s+${n}`, language: 'en', case_sensitive: false, whole_word: true },
    must_match: [`${colour} ${thing} ${n}`, `ask for a ${colour} ${thing} ${n}!`, `${colour}  ${thing} ${n} please`],
    must_not_match: [`${colour} sky`, `${colour}${thing} ${n}`, `a ${thing} alone`],
  }
}

/** The same pattern, a little wider: the plural, and one more string that shows it. */
export function widened(pattern: Pattern, step: number): Pattern {
  const [, first = '', thing = '', n = ''] = /^(\w+)\\s\+(\w+?)(?:s\?)?\\s\+(?:no\\s\+)?(\d+)$/.exec(pattern.text) ?? []
  const text = step === 1 ? `${first}\\s+${thing}s?\\s+${n}` : `${first}\\s+${thing}s?\\s+(?:no\\s+)?${n}`
  const more = step === 1 ? `two ${first} ${thing}s ${n}` : `${first} ${thing} no ${n}`
  return { ...pattern, text, must_match: [...pattern.must_match, more] }
}

const ALGORITHMS = { pdq: 6, sha256: 2, md5: 1, sha1: 1, video_md5: 1, photodna: 1 }
const DIGITS: Readonly<Record<keyof typeof ALGORITHMS, number>> = {
  ...{ pdq: 64, sha256: 64, md5: 32, sha1: 40, video_md5: 32, photodna: 288 },
}

/** Of no file: digits of which each has two bits, so that half of all are set, as in a hash of an image. */
function media(random: Random): { algorithm: string; hash: string } {
  const algorithm = random.weighted(ALGORITHMS)
  return { algorithm, hash: Array.from({ length: DIGITS[algorithm] }, () => random.pick([...'3569ac'])).join('') }
}

const SURFACES = ['game_chat', 'comments', 'direct_message', 'live_stream', 'group_chat'] as const
const RAILS = ['gift_card', 'cashtag', 'in_game_currency'] as const
const TITLES = [
  'Move from a public game to a private chat',
  'Return under a new name after removal',
  'Invitations in the comments of live streams',
  'Gifts against a promise of silence',
  'One operator behind many young-looking accounts',
] as const

const tacticOf = (random: Random): Tactic => ({
  title: random.pick(TITLES),
  steps: ['praise in public', 'offer of a gift', 'invitation to another service'].slice(0, random.from(2, 3)),
  surfaces: random.shuffled(SURFACES).slice(0, 2),
  lures: ['in-game currency'],
  payment_rails: [random.pick(RAILS)],
  detection: ['gift offered within ten minutes of the first message'],
})

export const refined = (tactic: Tactic, step: number): Tactic => ({
  ...tactic,
  detection: [
    ...tactic.detection,
    step === 1 ? 'same gift offered to several accounts' : 'new account within a day of removal',
  ],
})
