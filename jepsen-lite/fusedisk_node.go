package jepsenlite

import (
	"context"
	"maps"
	"slices"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// fuseNode shows one fileNode to the kernel.
type fuseNode struct {
	fs.Inode
	disk *FuseDisk
	file *fileNode
}

var _ = (interface {
	fs.NodeLookuper
	fs.NodeReaddirer
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeOpener
	fs.NodeCreater
	fs.NodeMkdirer
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeLinker
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
	fs.NodeAllocater
	fs.NodeStatfser
})((*fuseNode)(nil))

func (n *fuseNode) attr(file *fileNode, out *fuse.Attr) {
	out.Ino, out.Size, out.Nlink, out.Blksize = file.ino, uint64(len(file.data)), 1, 4096
	out.Blocks = (out.Size + 511) / 512
	out.Mode = syscall.S_IFREG | 0o600
	if file.isDir() {
		out.Mode = syscall.S_IFDIR | 0o700
	}
}

// child makes the kernel's inode of a fileNode.
func (n *fuseNode) child(ctx context.Context, file *fileNode, out *fuse.EntryOut) *fs.Inode {
	n.attr(file, &out.Attr)
	return n.NewInode(ctx, &fuseNode{disk: n.disk, file: file},
		fs.StableAttr{Mode: out.Mode & syscall.S_IFMT, Ino: file.ino})
}

func (n *fuseNode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno != 0 {
		return nil, errno
	}
	file, errno := n.file.lookup(name)
	if errno != 0 {
		return nil, errno
	}
	return n.child(ctx, file, out), 0
}

func (n *fuseNode) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno != 0 {
		return nil, errno
	}
	var list []fuse.DirEntry
	for _, name := range slices.Sorted(maps.Keys(n.file.entries)) {
		entry := fuse.DirEntry{Name: name, Ino: n.file.entries[name].ino, Mode: syscall.S_IFREG}
		if n.file.entries[name].isDir() {
			entry.Mode = syscall.S_IFDIR
		}
		list = append(list, entry)
	}
	return fs.NewListDirStream(list), 0
}

func (n *fuseNode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	errno := n.disk.enter()
	defer n.disk.leave()
	n.attr(n.file, &out.Attr)
	return errno
}

func (n *fuseNode) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	errno := n.disk.enter()
	defer n.disk.leave()
	if size, ok := in.GetSize(); ok && errno == 0 && !n.file.isDir() {
		if errno = n.room(int64(size)); errno == 0 {
			n.file.truncate(int64(size))
		}
	}
	n.attr(n.file, &out.Attr)
	return errno
}

// room says whether the file may grow to size.
func (n *fuseNode) room(size int64) syscall.Errno {
	if n.disk.faults.Full && size > int64(len(n.file.data)) {
		return syscall.ENOSPC
	}
	return 0
}

func (n *fuseNode) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	// Direct: every write reaches us as it is made, and the kernel's cache answers no read.
	return nil, fuse.FOPEN_DIRECT_IO, errno
}

func (n *fuseNode) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (
	*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno == 0 && n.disk.faults.Full {
		errno = syscall.ENOSPC
	}
	if errno != 0 {
		return nil, nil, 0, errno
	}
	file, missing := n.file.lookup(name)
	if missing != 0 {
		file = n.disk.image.node(false)
		n.file.change(change{name: file})
	}
	return n.child(ctx, file, out), nil, fuse.FOPEN_DIRECT_IO, 0
}

func (n *fuseNode) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno != 0 {
		return nil, errno
	}
	if _, missing := n.file.lookup(name); missing == 0 {
		return nil, syscall.EEXIST
	}
	dir := n.disk.image.node(true)
	n.file.change(change{name: dir})
	return n.child(ctx, dir, out), 0
}

func (n *fuseNode) Unlink(_ context.Context, name string) syscall.Errno { return n.remove(name, false) }

func (n *fuseNode) Rmdir(_ context.Context, name string) syscall.Errno { return n.remove(name, true) }

func (n *fuseNode) remove(name string, dir bool) syscall.Errno {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno != 0 {
		return errno
	}
	file, errno := n.file.lookup(name)
	switch {
	case errno != 0:
		return errno
	case dir && len(file.entries) > 0:
		return syscall.ENOTEMPTY
	}
	n.file.change(change{name: nil})
	return 0
}

func (n *fuseNode) Rename(_ context.Context, name string, parent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno != 0 {
		return errno
	}
	if flags&^1 != 0 { // 1 is RENAME_NOREPLACE
		return syscall.EINVAL
	}
	file, errno := n.file.lookup(name)
	if errno != 0 {
		return errno
	}
	to := parent.(*fuseNode).file
	if _, missing := to.lookup(newName); flags == 1 && missing == 0 {
		return syscall.EEXIST
	}
	if to == n.file {
		n.file.change(change{name: nil, newName: file})
		return 0
	}
	to.change(change{newName: file})
	n.file.change(change{name: nil})
	return 0
}

func (n *fuseNode) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno != 0 {
		return nil, errno
	}
	if _, missing := n.file.lookup(name); missing == 0 {
		return nil, syscall.EEXIST
	}
	file := target.(*fuseNode).file
	n.file.change(change{name: file})
	return n.child(ctx, file, out), 0
}

func (n *fuseNode) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno != 0 {
		return nil, errno
	}
	if off >= int64(len(n.file.data)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, n.file.data[off:])]), 0
}

func (n *fuseNode) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	errno := n.disk.enter()
	defer n.disk.leave()
	if errno == 0 {
		errno = n.room(off + int64(len(data)))
	}
	if errno != 0 {
		return 0, errno
	}
	n.file.write(data, off)
	return uint32(len(data)), 0
}

func (n *fuseNode) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.disk.sync(n.file)
}

func (n *fuseNode) Allocate(_ context.Context, _ fs.FileHandle, off, size uint64, mode uint32) syscall.Errno {
	errno := n.disk.enter()
	defer n.disk.leave()
	const keepSize = 1
	end := int64(off + size)
	switch {
	case errno != 0:
		return errno
	case mode&^keepSize != 0:
		return syscall.EOPNOTSUPP
	case mode&keepSize == 0 && end > int64(len(n.file.data)):
		if errno := n.room(end); errno != 0 {
			return errno
		}
		n.file.truncate(end)
	}
	return 0
}

func (n *fuseNode) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	errno := n.disk.enter()
	defer n.disk.leave()
	const blocks = 1 << 20
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	out.Blocks, out.Bfree, out.Bavail, out.Files, out.Ffree = blocks, blocks, blocks, blocks, blocks
	return errno
}
