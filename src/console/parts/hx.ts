import type { Href } from '../links.ts'

/** How a part of a page is exchanged; each element names its own target, since nothing is inherited. */
export interface Exchange {
  get?: Href
  post?: Href
  /** A CSS selector, or `this`. */
  target: string
  swap?: 'innerHTML' | 'outerHTML' | 'innerMorph' | 'outerMorph' | 'none'
  /** An event, or `every 30s`; filters in brackets would need `eval`, which the policy forbids. */
  trigger?: string
  select?: string
}

/** The attributes of htmx for an exchange. A second press while one is under way is dropped. */
export function hx({ get, post, target, swap = 'outerMorph', trigger, select }: Exchange): Record<string, string> {
  return {
    ...(get !== undefined && { 'hx-get': get }),
    ...(post !== undefined && { 'hx-post': post }),
    'hx-target': target,
    'hx-swap': swap,
    'hx-sync': 'this:drop',
    ...(trigger !== undefined && { 'hx-trigger': trigger }),
    ...(select !== undefined && { 'hx-select': select }),
  }
}

/** What becomes of one exact status; only these are exchanged, every other refusal leaves the page as it is. */
const onStatus = (status: 401 | 403 | 404 | 409 | 422 | 503, what: string): Record<string, string> => ({
  [`hx-status:${status}`]: what,
})

/** Refusals of a form go to its own place for errors. */
export const refusalsTo = (selector: string): Record<string, string> => ({
  ...onStatus(409, `target:${selector} swap:innerHTML`),
  ...onStatus(422, `target:${selector} swap:innerHTML`),
})
