import type { VNode } from 'preact'
import { links } from '../links.ts'
import { Views } from './filter.tsx'

const PAGES = {
  limits: { title: 'Limits', href: links.developer() },
  requests: { title: 'Request log', href: links.requestLog() },
  webhooks: { title: 'Webhooks', href: links.webhooks() },
  sandbox: { title: 'Sandbox', href: links.sandbox() },
} as const

/** The pages for those who build what an organisation runs. */
export const DeveloperViews = ({ current }: { current: keyof typeof PAGES }): VNode => (
  <div class="queue-tools">
    <Views
      label="Developer"
      views={Object.entries(PAGES).map(([id, page]) => ({ id, ...page, current: id === current }))}
    />
  </div>
)
