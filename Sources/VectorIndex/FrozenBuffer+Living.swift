internal import VectorMath

extension FrozenBuffer {
    /// The rows of `sources` that are not in their dead sets, in order; `width` elements each.
    convenience init(living sources: [(buffer: FrozenBuffer<Element>, dead: Bitmap)], width: Int) {
        var runs: [(buffer: FrozenBuffer<Element>, range: Range<Int>)] = []
        for (buffer, dead) in sources {
            dead.forEachRunOutside { runs.append((buffer, $0.lowerBound * width..<$0.upperBound * width)) }
        }
        self.init(copying: runs)
    }
}
