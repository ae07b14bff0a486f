// Made from the Unicode Character Database, version 16.0.0 (DerivedGeneralCategory.txt, CaseFolding.txt).
// (c) Unicode, Inc., Unicode License v3. Never edited: other tables are another version of every profile that uses them.

/** Ranges of assigned code points: distance from the end of the last range, then length - 1; base 36. */
export const ASSIGNED = [
  '0-on 3-5 5-6 2 2-j 2-b0 2-11 3-1d 3-2 2-1i 9-q 5-5 c-7h 2-1n 3-2s f-1m 3-1c 3-e 2-r 3 2-a 6-u 2-1 6-6k 2-7 3-1',
  '3-l 2-6 2 4-3 3-8 3-1 3-3 9 5-1 2-4 3-o 3-2 2-5 5-1 3-l 2-6 2-1 2-1 2-1 3 2-4 5-1 3-2 4 8-3 2 8-g b-2 2-8 2-2',
  '2-l 2-6 2-1 2-4 3-9 2-2 2-2 3 g-3 3-b 8-6 2-2 2-7 3-1 3-l 2-6 2-1 2-4 3-8 3-1 3-2 8-2 5-1 2-4 3-h b-1 2-5 4-2',
  '2-3 4-1 2 2-1 4-1 4-2 4-b 5-4 4-2 2-3 3 7 f-k 6-c 2-2 2-m 2-f 3-8 2-2 2-3 8-1 2-2 3 3-3 3-9 8-l 2-2 2-m 2-9 2-4',
  '3-8 2-2 2-3 8-1 7-1 2-3 3-9 2-2 d-c 2-2 2-1e 2-2 2-5 5-f 3-p 2-2 2-h 4-n 2-8 2 3-6 4 5-5 2 2-7 7-9 3-2 d-1l 5-s',
  '12-1 2 2-4 2-n 2 2-m 3-4 2 2-6 2-9 3-3 x-1z 2-z 5-12 2-z 2-e 2-c 12-5h 2 6 3-ag 2-3 3-6 2 2-3 3-14 2-3 3-w 2-3',
  '3-6 2 2-3 3-e 2-1k 2-3 3-1u 3-v 4-p 7-2d 3-5 3-ik 4-2g 8-l a-n a-j d-c 2-2 2-1 d-2l 3-9 7-9 7-p 7-2g 8-16 6-1x',
  'b-u 2-b 5-b 5 4-15 3-4 c-17 5-p 7-a 4-1p 3-1s 2-s 3-a 7-9 7-d 3-u 1e-24 2-4l 9-1n 4-e 4-1p 6-16 3-a 9-16 6-et',
  '3-5 3-11 3-5 3-7 2 2 2 2-u 3-1g 2-e 2-d 3-5 2-i 3-2 2-8 2-2s 2-b 3-q 2-c 4-w g-w g-3v 5-ih n-a m-1eb 3-v 2-9o',
  '6-18 2 6 3-1j 8-1 f-n a-6 2-6 2-6 2-6 2-6 2-6 2-6 2-6 2-3h z-p 2-2g d-5x r-27 2-2d 3-2u 6-16 2-2l 2-2d a-1b',
  '2-mlo 4-1i a-9n l-53 9-5p 3-1 2 2-7 m-1m 4-9 7-1j 9-1x 9-b 7-37 c-t 4-25 2-a 5-w 2-1i a-d 3-9 3-2u p-r b-5 3-5',
  '3-5 a-6 2-6 2-1n 5-3h 3-9 7-8mb d-m 5-1c 5-6st 3-2x 13-6 d-4 6-p 2-4 2 2-1 2-1 2-3g h-cc 3-1h 8 x-15 7-1e 2-i',
  '2-3 5-4 2-3q 3 2-59 4-5 3-5 3-5 3-2 4-6 2-6 b-4 3-b 2-p 2-i 2-1 2-e 3-d z-3e 6-2 5-18 4-2f 2-c 4 1c-19 3n-s 4-1c',
  'g-r 5-z a-t 6-16 6-t 2-10 5-d 17-4d 3-9 7-z 5-z 5-13 9-1f c-b 2-e 2-6 2-1 2-a 2-e 2-6 2-1 4-1f d-8m a-l b-7 p-5',
  '2-15 2-8 1y-5 3 2-17 2-1 4 3-m 2-1z 9-8 1d-i 2-1 6-w 4-q 6 1t-1j 5-j 3-1d 2-1 6-7 2-2 2-s 3-2 5-9 8-8 8-1r x-12',
  '5-b a-1h 4-s 3-q 6-p 8-3 d-6 29-20 1k-1e e-1e 8-19 9-9 7-11 4-s 9-1 5t-u 2-15 2-2 3-1 h-2 1k-17 9-15 n-p 13-r',
  'l-m a-25 5-z a-1v b 3-o 8-9 7-1g 2-h 9-12 a-2n 2-j c-h 2-1a 1r-6 2 2-3 2-e 2-a 7-1m 6-9 7-3 2-7 3-1 3-l 2-6 2-1',
  '2-4 2-9 3-1 3-2 3 7 6-6 3-6 4-4 c-9 2 3 2-11 2-9 2 3 2-3 2-9 2-1 9-1 u-2j 2-4 v-1z 9-9 4n-1h 3-11 z-1w c-9 7-c',
  'k-1l 7-9 7-j t-q 3-e 5-m 56-1n 2t-2a d-7 3 3-7 2-1 2-t 2-1 3-b a-9 1z-7 3-19 3-a s-1z 9-2a e-20 8-9 53-x f-9 7-8',
  '2-18 2-d b-s 4-v 3-l 2-d 22-6 2-1 2-17 4 2-1 2-8 9-9 7-5 2-1 2-10 2-1 2-5 8-9 8n-o 8-g 2-14 4-s 2e g-1d e-pm',
  '2v-32 2-4 c-5f 219-2q e-ut b-32y 6-g6 5a2-1l 1c7-fs 8-u 2-9 5-28 2-9 7-t 3-5 b-1x b-9 2-6 2-k 6-i c1-1l 5j-2i',
  '2u-22 5-1k 8-g 1t-4 c-1 f-4qf 9-yd 16-9 6w8-3 2-6 2-1 2-82 g u-2 3 f-3 9-az 1s5-2y 6-c 4-8 8-9 3-7 319-6x 7-c3',
  '25-19 3-m a-37 1p-6t b-12 3-5d m-1x 3f-j d-j d-2e a-o 3s-2c 2-1y 2-1 3 3-1 3-3 2-b 2 2-6 2-1s 2-3 3-7 2-6 2-r',
  '2-3 2-4 2 4-6 2-9f 3-83 3-jh g-4 2-e up-u 7-5 5y-6 2-g 3-6 2-1 2-4 6-1p y 35-18 4-d 3-9 5-1 8x-u i-1l 6 cx-15',
  '5z-16 5 dd-6 2-3 2-1 2-e 2-5g 3-f 16-23 5-9 5-1 lu-1v 25-1o 5f-3 2-q 2-1 2 3 2-9 2-3 2 2 7 5 2 2 2-2 2-1 2 3 2 2',
  '2 2 2-1 2 3-3 2-6 2-3 2-3 2 2-9 2-g 6-2 2-4 2-g 1h-1 7j-17 5-2r d-e 3-e 2-e 2-10 b-4t 1l-s e-17 5-8 8-1 f-5',
  '4b-rb 5-g 4-c 4-3a 5-2m 7-b 5 g-b 5-1j 9-9 7-13 9-t 3-b 5-1 1r-9f d-d 3-c 4-9 6-1j 8-e 3-a 7-8 8-42 2-2t sn-wyn',
  'x-37d 7-65 3-4g1 f-5rk g-h9 1wj-f1 15v-3t6 6-38f f976 v-2n 3l-6n 1e6p-1ekd 3-1ekd',
].join(' ')

/** Case folding, status C: distance from the last start, offset, count, step; base 36. */
export const FOLD_COMMON = [
  '1t.w.q 38.lj b.w.n o.w.7 14.1.o.2 1e.1.3.2 7.1.8.2 h.1.n.2 1a.-3d 1.1.3.2 6.-7g 2.5u 1.1.2.2 4.5q 1.1 2.5p.2 2.1',
  '3.27 1.5m 1.5n 1.1 2.5p 1.5r 2.5v 1.5t 1.1 4.5v 1.5x 2.5y 1.1.3.2 6.62 1.1 2.62 3.1 2.62 1.1 2.61.2 2.1.2.2 4.63',
  '1.1 4.1 8.2 1.1 2.2 1.1 2.2 1.1.9.2 j.1.9.2 j.2 1.1.2.2 4.-2p 1.-1k 1.1.k.2 14.-3m 2.1.9.2 o.8bv 1.1 2.-4j 1.8bs',
  '3.1 2.-5f 1.1x 1.1z 1.1.5.2 73.38 17.1.2.2 6.1 9.38 7.12 2.11.3 4.1s 2.1r.2 3.w.h i.w.9 v.1 d.8 1.-u 1.-p 4.-f',
  '1.-m 2.1.c.2 o.-1i 1.-1c 3.-1o 1.-1s 2.1 2.-7 1.1 3.-3m.3 3.28.g g.w.w 28.1.h.2 16.1.r.2 1i.f 1.1.7.2 f.1.1c.2',
  '2p.1c.12 29b.5ls.12 13.5ls 6.5ls mj.-8.6 1oo.-4su 1.-4st 1.-4sk 1.-4si.2 2.-4sj 1.-4sc 1.-4ro 1.r7n 1.1',
  '7.-2bk.17 19.-2bk.3 8z.1.23.2 4b.-1m 5.1.1c.2 2w.-8.8 g.-8.6 g.-8.8 g.-8.8 g.-8.6 h.-8.4.2 f.-8.8 28.-8.2',
  '2.-22.2 4.-5j9 a.-2e.4 g.-8.2 2.-2s.2 e.-8.2 2.-34.2 2.-7 c.-3k.2 2.-3i.2 8c.-5st 4.-6gv 1.-6di 7.s 1a.g.g z.1',
  'mr.q.q 1fu.1c.1c 2o.1 2.-8af 1.-2xy 1.-89z 3.1.3.2 6.-8bg 1.-8al 1.-8bj 1.-8bi 2.1 3.1 9.-8cf.2 2.1.1e.2',
  '2z.1.2.2 7.1 nym.1.n.2 1s.1.e.2 4i.1.7.2 g.1.v.2 1z.1.2.2 4.-r9g 1.1.5.2 d.1 2.-wmg 3.1.2.2 6.1.a.2 k.-wn8',
  '1.-wnj 1.-wnf 1.-wn5 1.-wn8 2.-wlu 1.-wmi 1.-wlx 1.ps 1.1.8.2 g.-1c 1.-wn7 1.-raw 1.1.2.2 4.-wo7 1.1 4.1 6.1.3.2',
  '6.-wu9 p.1 or.-tzk.28 gj5.w.q yn.14.14 4w.14.10 5c.13.b c.13.f g.13.7 8.13.2 1d8.1s.1f 5s.w.m 28g.w.w gww.w.w',
  'o8w.y.y',
].join(' ')

/** Case folding, status F: code point and what it becomes; base 36. */
export const FOLD_FULL = [
  '67.37.37 8g.2x.lj 95.jg.32 ds.2y.lo pc.qh.lk.ld q8.qt.lk.ld 13b.12d.136 61i.2w.mp 61j.38.lk 61k.3b.lm 61l.3d.lm',
  '61m.2p.ji 61q.37.37 66o.qt.lv 66q.qt.lv.lc 66s.qt.lv.ld 66u.qt.lv.n6 680.64g.qh 681.64h.qh 682.64i.qh 683.64j.qh',
  '684.64k.qh 685.64l.qh 686.64m.qh 687.64n.qh 688.64g.qh 689.64h.qh 68a.64i.qh 68b.64j.qh 68c.64k.qh 68d.64l.qh',
  '68e.64m.qh 68f.64n.qh 68g.65c.qh 68h.65d.qh 68i.65e.qh 68j.65f.qh 68k.65g.qh 68l.65h.qh 68m.65i.qh 68n.65j.qh',
  '68o.65c.qh 68p.65d.qh 68q.65e.qh 68r.65f.qh 68s.65g.qh 68t.65h.qh 68u.65i.qh 68v.65j.qh 68w.674.qh 68x.675.qh',
  '68y.676.qh 68z.677.qh 690.678.qh 691.679.qh 692.67a.qh 693.67b.qh 694.674.qh 695.675.qh 696.676.qh 697.677.qh',
  '698.678.qh 699.679.qh 69a.67a.qh 69b.67b.qh 69e.67k.qh 69f.q9.qh 69g.q4.qh 69i.q9.n6 69j.q9.n6.qh 69o.q9.qh',
  '69u.67o.qh 69v.qf.qh 69w.q6.qh 69y.qf.n6 69z.qf.n6.qh 6a4.qf.qh 6aa.qh.lk.lc 6ab.qh.lk.ld 6ae.qh.n6 6af.qh.lk.n6',
  '6aq.qt.lk.lc 6ar.qt.lk.ld 6as.qp.lv 6au.qt.n6 6av.qt.lk.n6 6b6.67w.qh 6b7.qx.qh 6b8.r2.qh 6ba.qx.n6 6bb.qx.n6.qh',
  '6bg.qx.qh 1dkw.2u.2u 1dkx.2u.2x 1dky.2u.30 1dkz.2u.2u.2x 1dl0.2u.2u.30 1dl1.37.38 1dl2.37.38 1dlf.12s.12u',
  '1dlg.12s.12d 1dlh.12s.12j 1dli.132.12u 1dlj.12s.12l',
].join(' ')
