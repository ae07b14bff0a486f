import { PROTOTYPES } from './confusable-table.ts'

const base36 = (digits: string): number => Number.parseInt(digits, 36)

const prototypes: ReadonlyMap<string, string> = (() => {
  const map = new Map<string, string>()
  let from = 0
  for (const entry of PROTOTYPES.split(' ')) {
    const [distance = 0, ...to] = entry.split('.').map(base36)
    from += distance
    map.set(String.fromCodePoint(from), String.fromCodePoint(...to))
  }
  return map
})()

/**
 * What text looks like (UTS #39, section 4, internalSkeleton), for text that compatibility decomposition and the removal of
 * default-ignorable code points have gone over. Only ever compared with another skeleton.
 */
export function skeleton(text: string): string {
  let out = ''
  for (const char of text.normalize('NFD')) out += prototypes.get(char) ?? char
  return out.normalize('NFD')
}
