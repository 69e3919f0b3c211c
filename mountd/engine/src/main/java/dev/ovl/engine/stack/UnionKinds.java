package dev.ovl.engine.stack;

/** The kinds of stacks there are. */
record UnionKinds(OverlayKind overlay, AufsKind aufs) {
  UnionKind of(StackDefinition stack) {
    return of(stack.union());
  }

  UnionKind of(StackDefinition.Union union) {
    return switch (union) {
      case StackDefinition.Union.Overlay o -> overlay;
      case StackDefinition.Union.Aufs a -> aufs;
    };
  }

  UnionKind of(StackRequest request) {
    return switch (request.union()) {
      case StackRequest.Union.Overlay o -> overlay;
      case StackRequest.Union.Aufs a -> aufs;
    };
  }
}
