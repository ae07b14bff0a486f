import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { expect, test } from 'vitest'
import { type BulkJobView, BulkProgress } from '../../../src/console/pages/bulk-job.tsx'
import { newId } from '../../../src/kernel/ids.ts'

const NOW = new Date('2026-11-27T12:00:00Z')

test('the page of a job asks how far it is where that is no sign of somebody, and only while it is under way', () => {
  const id = newId(NOW)
  const html = (state: 'running' | 'done'): string =>
    renderToString(
      BulkProgress({
        job: { job: id, state, n: 2, looked_at: 1, results: {}, undone: 0, verdict: 'outdated' },
        viewer: { csrf: 'token' },
        ...{ items: [], now: NOW, typed: {}, refusal: undefined },
      } as unknown as BulkJobView) as VNode,
    )
  expect(html('running')).toContain(`hx-get="/bulk/jobs/${id}/progress"`)
  expect(html('done')).not.toContain('hx-get')
})
