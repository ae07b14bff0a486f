import { parse } from 'tldts'
import { ipv6Text } from './ip.ts'

/** A string that looks like something raw, by its RFC 6901 pointer; never the string itself. */
export interface Found {
  pointer: string
  /** In words that fit after "looks like". */
  kind: string
}

/** What machines made and holds nothing raw: digests, UUIDs, instants, 32 bytes in base64url. The whole string. */
const MADE =
  /^(?:[0-9a-f]{32,4096}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|20\d\d-[01]\d-[0-3]\dT[0-2]\d(?::[0-5]\d){2}(?:\.\d{1,9})?Z|[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/

/**
 * Words and short numbers, as names of members, categories and profiles are: no detector below finds anything in them, and
 * they are most of what is looked at.
 */
const WORDS = /^[a-z]{1,20}(?:[_/-](?:[a-z]{1,20}|[0-9]{1,4})){0,2}$/

/** Dates and times of day within a text, whose digits are no phone number. */
const DATES = /\b20\d\d([-/.]?)[01]\d\1[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?Z?)?\b/g
/** Digits, however they are grouped. */
const NUMBER = /\p{Nd}(?:[ ()./-]{0,2}\p{Nd})*/gu
/** Of a phone or account number, at least; shorter ones are years, counts and prices. */
const DIGITS = 9
/** The ideographic full stop is a dot between labels too (UTS #46), but ends sentences before a word in its own script. */
const STOP = /(?<=\w)\u3002(?=\w)/g
/** In scripts that end sentences with it, the list of public suffixes and a path in ASCII tell a host from two sentences. */
const STOPPED_HOST = /(?<![\p{L}\p{N}_.-])((?:[\p{L}\p{N}-]{1,63}[.\u3002]){1,8}\p{L}{2,24})\/[a-z0-9_@+~%]/giu
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV6_LIKE = /(?<![\p{L}\p{N}_:.])[0-9a-f:]{3,39}(?:\.\d{1,3}){0,3}(?![\p{L}\p{N}_:])/giu

/** Each alternative starts at a character that few texts repeat and has bounded or disjoint parts: no long backtracking. */
const DETECTORS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['an e-mail address', /[^\s@<>()[\],;:\\"]{1,64}@(?:[\p{L}\p{N}_-]{1,63}[.\u3002]){1,8}[\p{L}\p{N}-]{2,63}/u],
  ['a link', /\b(?:https?|ftp|tg|discord|snapchat|kik|whatsapp|hxxps?):\/{1,2}[\p{L}\p{N}]/iu],
  ['a link', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[\p{L}\p{N}]/iu],
  ['a link with a path', /(?<![\p{L}\p{N}_.-])(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}\/[\p{L}\p{N}_@+~]/u],
  ['a phone number', /(?<![\p{L}\p{N}_+])\+(?:[ ().-]{0,2}\p{Nd}){7,15}(?![\p{L}\p{N}_])/u],
  ['an IP address', new RegExp(`(?<![\\p{L}\\p{N}_.])(?:${OCTET}\\.){3}${OCTET}(?!\\.?[\\p{L}\\p{N}_])`, 'u')],
  ['a user handle', /(?<![\p{L}\p{N}._%+-])@[\p{L}\p{N}_][\p{L}\p{N}_.]{2,}/u],
  ['a payment handle', /(?<![\p{L}\p{N}_$\\)\]])\$[a-z][a-z0-9_]{2,19}(?!\w)/iu],
  ['a cryptocurrency address', /\b(?:bc1[02-9ac-hj-np-z]{11,87}|0x[0-9a-f]{40})\b/i],
]

/**
 * Every string of a JSON value that looks like a raw personal identifier, in the order of the value. A heuristic: it
 * finds slips, not intent. No member is exempt, since a pattern or a note may carry an identifier as well as any other.
 */
export function findRaw(value: unknown, pointer = ''): readonly Found[] {
  const found: Found[] = []
  look(value, pointer, found)
  return found
}

function look(value: unknown, pointer: string, found: Found[]): void {
  if (typeof value === 'string') {
    const kind = kindOf(value)
    if (kind !== undefined) found.push({ pointer, kind })
  } else if (typeof value === 'object' && value !== null) {
    // Of an array, the indices.
    for (const [name, own] of Object.entries(value)) {
      // Hardly any string is raw: its pointer is made only then.
      if (typeof own !== 'string' || kindOf(own) !== undefined) look(own, `${pointer}/${escaped(name)}`, found)
    }
  }
}

/** Hidden characters, full-width forms, the full stops of other scripts and a spelt-out at sign do not hide what a text looks like. */
function kindOf(text: string): string | undefined {
  if (WORDS.test(text) || MADE.test(text)) return undefined
  const plain = text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replaceAll(STOP, '.')
    .replaceAll(/ ?[([{](?:at|@)[)\]}] ?/gi, '@')
    .replaceAll(/ ?[([{](?:dot|\.)[)\]}] ?/gi, '.')
    .replaceAll(DATES, ' ')
  const found = DETECTORS.find(([, pattern]) => pattern.test(plain))
  if (found !== undefined) return found[0]
  if (plain.includes('\u3002') && [...plain.matchAll(STOPPED_HOST)].some(isHost)) return 'a link with a path'
  if ((plain.match(IPV6_LIKE) ?? []).some(isIpv6)) return 'an IP address'
  return (plain.match(NUMBER) ?? []).some(isLong) ? 'a phone number or an account number' : undefined
}

const isHost = ([, host = '']: RegExpMatchArray): boolean => parse(host.replaceAll('\u3002', '.')).isIcann === true

/** `::` alone, or one group before it, stands in program code too. */
const isIpv6 = (text: string): boolean =>
  /[0-9]/.test(text) && (text.match(/[0-9a-f]+/gi) ?? []).length > 1 && ipv6Text(text) !== undefined

const isLong = (number: string): boolean => (number.match(/\p{Nd}/gu) ?? []).length >= DIGITS

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
