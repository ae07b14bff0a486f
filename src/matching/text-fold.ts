import { skeleton } from '../identifiers/confusable.ts'
import { caseFold, foldNfkc } from '../identifiers/unicode.ts'
import { createOut, type Folded } from './text-folded.ts'

/** How text and pattern are made comparable. */
export interface Folding {
  caseSensitive: boolean
  /** Also by what characters look like. */
  confusables: boolean
}

export interface Folder {
  fold(text: string): Folded
}

/** No table says what such a unit becomes: U+FFFF is no character. */
const CLOSER = 0xffff
const UNKNOWN = 0
/** One unit of its own that nothing joins, and that joins nothing before it. */
const SIMPLE = 1
/** Begins a cluster, and becomes several units. */
const BEGINS = 2
/** Joins what is before it, or is dropped. */
const JOINS = 3
/**
 * Composes with what is before it although normalisation reorders it with nothing (Unicode 16: NFC_Quick_Check=Maybe of
 * combining class 0), or is dropped.
 */
const COMPOSING =
  /^[\p{Default_Ignorable_Code_Point}\u1160-\u11ff\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1b35\u{11127}\u{1133e}\u{11357}\u{113b8}-\u{113c9}\u{114b0}\u{114ba}\u{114bd}\u{115af}\u{11930}\u{1611e}-\u{16129}\u{16d67}]/u
const MARK = /^\p{M}/u
const LONE = /^[\ud800-\udfff]$/
/** As in the Stream-Safe Text Format (UAX #15): longer runs are no text, and cost the square of their length. */
const JOINED_MAX = 30
const CACHE_MAX = 16_384

const folders = new Map<string, Folder>()

/** The folder of a folding, which has learned from every text before. */
export function folderOf(folding: Folding): Folder {
  const name = `${folding.caseSensitive} ${folding.confusables}`
  const known = folders.get(name) ?? createFolder(folding)
  folders.set(name, known)
  return known
}

/** One text as a string. */
export const foldText = (folding: Folding, text: string): string => textOf(folderOf(folding).fold(text))

const decoder = new TextDecoder('utf-16le', { ignoreBOM: true })

export const textOf = ({ units, length }: Folded): string =>
  decoder.decode(new Uint8Array(units.buffer, units.byteOffset, length * 2))

/**
 * NFKC, case folding, default-ignorable code points dropped, skeleton: cluster by cluster, so that each folded unit still
 * knows its place in the original. What the folding makes of a unit alone is looked up; the rest takes several times as long.
 */
function createFolder(folding: Folding): Folder {
  const table = new Uint16Array(0x10000).fill(CLOSER)
  const kinds = new Uint8Array(0x110000)
  /** By a unit and what joins it, or by a code point alone: what nearly all clusters are. */
  const cache = new Map<number, string>()
  const out = createOut()

  const foldCluster = (cluster: string): string => {
    const folded = foldNfkc(cluster.toWellFormed(), folding)
    if (!folding.confusables) return folded
    // A prototype may be a capital where it looks like a digit.
    return folding.caseSensitive ? skeleton(folded) : caseFold(skeleton(folded))
  }

  const kindOf = (code: number): number => {
    const known = kinds[code] ?? UNKNOWN
    return known === UNKNOWN ? learn(code) : known
  }

  function learn(code: number): number {
    const char = String.fromCodePoint(code)
    const folded = foldCluster(char)
    const joins = joinsBefore(char) || folded === '' || joinsBefore(folded)
    const simple = !joins && code < CLOSER && folded.length === 1 && !LONE.test(char) && folded !== '\uffff'
    const kind = joins ? JOINS : simple ? SIMPLE : BEGINS
    kinds[code] = kind
    if (simple) table[code] = folded.charCodeAt(0)
    return kind
  }

  function clusterText(text: string, begin: number, end: number): string {
    const key = keyOf(text, begin, end)
    const known = key === undefined ? undefined : cache.get(key)
    if (known !== undefined) return known
    const folded = foldCluster(text.slice(begin, end))
    if (key === undefined) return folded
    if (cache.size === CACHE_MAX) cache.clear()
    cache.set(key, folded)
    return folded
  }

  /** Where the run of what joins ends; `full` if it goes on beyond what one cluster takes. */
  function joinedEnd(text: string, from: number): { end: number; full: boolean } {
    let end = from
    for (let joined = 0; end < text.length; joined++) {
      const code = codeAt(text, end)
      if (kindOf(code) !== JOINS) break
      if (joined === JOINED_MAX) return { end, full: true }
      end += sizeOf(code)
    }
    return { end, full: false }
  }

  /** Folds the cluster at a place, which what joins may have begun before; answers whether it was cut at its length. */
  function foldAt(text: string, at: number, full: boolean): { end: number; full: boolean } {
    const code = codeAt(text, at)
    const joins = kindOf(code) === JOINS
    const begin = joins && !full ? out.reopen(at) : at
    const joined = joinedEnd(text, joins ? at : at + sizeOf(code))
    out.pushAll(clusterText(text, begin, joined.end), begin, joined.end)
    return joined
  }

  function foldRest(text: string, from: number): void {
    let last = { end: from, full: false }
    while (last.end < text.length) {
      const at = last.end
      const code = codeAt(text, at)
      if (kindOf(code) === SIMPLE) {
        out.push(table[code] ?? CLOSER, at, at + 1)
        last = { end: at + 1, full: false }
      } else last = foldAt(text, at, last.full)
    }
  }

  return {
    fold(text) {
      const { units } = out.reset(text.length)
      let at = 0
      for (; at < text.length; at++) {
        const unit = table[text.charCodeAt(at)] ?? CLOSER
        if (unit === CLOSER) break
        units[at] = unit
      }
      out.plain(at)
      if (at < text.length) foldRest(text, at)
      return out.folded
    },
  }
}

const codeAt = (text: string, at: number): number => text.codePointAt(at) ?? 0
const sizeOf = (code: number): number => (code > 0xffff ? 2 : 1)

/** A number for a code point alone, or for a unit and a unit that joins it; undefined for longer clusters. */
function keyOf(text: string, begin: number, end: number): number | undefined {
  const first = codeAt(text, begin)
  const length = end - begin
  if (length === sizeOf(first)) return first
  return length === 2 ? 0x20_0000 + first * 0x1_0000 + text.charCodeAt(begin + 1) : undefined
}

/** Whether what is before a text may become another when the text follows. */
function joinsBefore(text: string): boolean {
  if (COMPOSING.test(text)) return true
  const [mark = ''] = text
  return MARK.test(mark) && reorders(mark)
}

/** Whether a mark has a combining class other than 0: then it changes places with one of a lower class. */
function reorders(mark: string): boolean {
  const plain = mark.normalize('NFD')
  return `\u0345${mark}`.normalize('NFD') !== `\u0345${plain}` || `${mark}\u0334`.normalize('NFD') !== `${plain}\u0334`
}
