import type { ComponentChildren, VNode } from 'preact'
import type { Href } from '../links.ts'
import type { Look } from '../look.ts'

export interface HeadProps {
  /** The address of a file of `assets/` or `client/`, with the hash of its content. */
  asset(name: string): Href
  look: Look
  title: string
  /** Of `assets/`, beside `console.css`. */
  styles?: readonly string[] | undefined
  children?: ComponentChildren
}

/** What every document begins with, for who is signed in and for everybody else. */
export const Head = ({ asset, look, title, styles = [], children }: HeadProps): VNode => (
  <head>
    <meta charset="utf-8" />
    <title>{`${title} · Aldis`}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content={look.theme === 'system' ? 'light dark' : look.theme} />
    <link rel="icon" href={asset('icon.svg')} type="image/svg+xml" />
    {['console.css', ...styles].map((name) => (
      <link key={name} rel="stylesheet" href={asset(name)} />
    ))}
    {children}
  </head>
)
