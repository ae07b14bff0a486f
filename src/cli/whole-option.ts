import { InvalidArgumentError } from 'commander'

/** A whole number from the one to the other; any other text is refused with what is expected. */
export const wholeOption =
  (least: number, most: number) =>
  (text: string): number => {
    const n = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (!(n >= least && n <= most)) throw new InvalidArgumentError(`a whole number from ${least} to ${most}.`)
    return n
  }
