"""SQL as a tree that can be made smaller: texts and nodes in turn, each node with what may be done to it.

    Node(parts, type=T)      an expression of that type: may become one of its parts of the same type, a leaf, or NULL
    Node(parts, drop=True)   a clause that may go
    Items(nodes, ", ")       a list: each item may go but the last (none_ok: that too)
"""


class Node:
    __slots__ = ("parts", "type", "drop", "needs")

    def __init__(self, parts, type=None, drop=False):
        self.parts, self.type, self.drop = list(parts), type, drop

    def render(self, out):
        for part in self.parts:
            if isinstance(part, str):
                out.append(part)
            else:
                part.render(out)

    def __str__(self):
        out = []
        self.render(out)
        return "".join(out)

    def size(self):
        return len(str(self))

    def children(self):
        return [(i, part) for i, part in enumerate(self.parts) if not isinstance(part, str)]

    def reductions(self):
        """Functions that change this node and return how to undo it; what takes most away comes first."""
        for i, child in self.children():
            if child.drop:
                yield self._replacing(i, Node([]))
            if child.type is None:
                continue
            for leaf in sorted(child.within(child.type), key=Node.size):
                yield self._replacing(i, leaf)
            if child.size() > len(f"CAST(NULL AS {child.type})") or "NULL" not in str(child):
                if child.children():
                    yield self._replacing(i, null_of(child.type))

    def within(self, type):
        """Expressions of that type below this one."""
        for _, child in self.children():
            if child.type == type:
                yield child
            yield from child.within(type)

    def _replacing(self, i, new):
        old = self.parts[i]

        def apply():
            self.parts[i] = new

        def undo():
            self.parts[i] = old
        return apply, undo


class Items(Node):
    __slots__ = ("separator", "least")

    def __init__(self, nodes, separator=", ", least=1):
        super().__init__(nodes)
        self.separator, self.least = separator, least

    def render(self, out):
        for i, part in enumerate(self.parts):
            if i:
                out.append(self.separator)
            part.render(out)

    def reductions(self):
        if len(self.parts) > self.least:
            for i in range(len(self.parts) - 1, -1, -1):
                yield self._without(i)
        yield from super().reductions()

    def _without(self, i):
        old = self.parts[i]

        def apply():
            del self.parts[i]

        def undo():
            self.parts.insert(i, old)
        return apply, undo


def null_of(type):
    return Node([f"CAST(NULL AS {type})"], type=type)


def walk(node):
    yield node
    for _, child in node.children():
        yield from walk(child)


def minimise(root, differs, tries):
    """Makes the tree smaller while differs() holds; at most `tries` questions."""
    progress = True
    while progress and tries > 0:
        progress = False
        for node in list(walk(root)):
            for apply, undo in list(node.reductions()):
                if tries <= 0:
                    return
                before = root.size()
                apply()
                if root.size() >= before:
                    undo()
                    continue
                tries -= 1
                if differs():
                    progress = True
                    break
                undo()
            if progress:
                break
