using System.Diagnostics;
using Hull.Linux;
using Hull.Linux.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Cgroups;

/// <summary>A container's cgroup: one directory in every tree of the host, under one path.</summary>
/// <remarks>
/// <para>Every tree, not only those with a limit: a tree left out would show the container the host's own cgroups, and would
/// have nothing to count for <c>stats</c> or to limit for <c>update</c>. The unified tree of a hybrid host has no
/// controllers but freezes and kills atomically.</para>
/// <para>Disposing closes descriptors and leaves the cgroup. Not thread-safe.</para>
/// </remarks>
public sealed partial class ContainerCgroup : IDisposable
{
    /// <summary>Parent of every cgroup that hull names itself.</summary>
    public const string Parent = "/hull";

    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(5);

    private readonly CgroupHost _host;
    private readonly List<CgroupDirectory> _directories;
    private readonly List<SafeFileHandle> _selfAttach = [];
    private SafeFileHandle? _unifiedProcesses;
    private bool _attachPrepared;

    /// <summary>Whether this object made the cgroup and has written no limit: its files have the kernel's defaults.</summary>
    private bool _fresh;

    private ContainerCgroup(CgroupHost host, string path, List<CgroupDirectory> directories, bool fresh)
    {
        _host = host;
        Path = path;
        _directories = directories;
        _fresh = fresh;
    }

    /// <summary>The same in every tree: <c>/hull/ab12…</c>.</summary>
    public string Path { get; }

    /// <summary>The container's directory in the v2 tree for CLONE_INTO_CGROUP of clone3(2) (Linux 5.7), or null on a pure
    /// v1 host. Owned by this object.</summary>
    /// <remarks>CLONE_NEWCGROUP beside it would make the parent's cgroup the new namespace's root; the child calls
    /// unshare(2) after it has written to <see cref="SelfAttach"/>.</remarks>
    public SafeFileHandle? CloneTarget => Unified?.Handle;

    /// <summary>The files through which the child moves itself: it writes <c>0</c> to each, then unshares its cgroup
    /// namespace. Empty on a pure v2 host. Opened by <see cref="PrepareAttach"/>, owned by this object.</summary>
    /// <remarks>A thread that moves itself through a v1 <c>tasks</c> file does not take cgroup_threadgroup_rwsem (Linux 5.5): 0.3
    /// ms for nine trees, where a parent writing the child's pid waits for RCU, 8 to 15 ms.</remarks>
    public IReadOnlyList<SafeFileHandle> SelfAttach => _selfAttach;

    private CgroupDirectory? Unified => _directories.Find(directory => directory.Hierarchy.IsUnified);

    /// <summary>The cgroup of a container by its id.</summary>
    public static string PathOf(string id) => $"{Parent}/{id}";

    /// <summary>The path that a spec's <c>cgroupsPath</c> means: absolute from each tree's root, relative below
    /// <see cref="Parent"/>, absent <see cref="PathOf"/>.</summary>
    /// <exception cref="CgroupException">The path leaves the tree or names its root.</exception>
    public static string Resolve(string? cgroupsPath, string id)
    {
        if (string.IsNullOrEmpty(cgroupsPath))
        {
            return PathOf(id);
        }

        List<string> parts = [];
        foreach (string part in (cgroupsPath.StartsWith('/') ? cgroupsPath : $"{Parent}/{cgroupsPath}").Split('/'))
        {
            switch (part)
            {
                case "" or ".":
                    continue;
                case "..":
                    throw new CgroupException($"linux.cgroupsPath {cgroupsPath}: .. is not allowed in a cgroup path");
                case { Length: > 255 }:
                    throw new CgroupException($"linux.cgroupsPath {cgroupsPath}: a name is longer than 255 bytes");
                default:
                    parts.Add(part);
                    break;
            }
        }

        return parts.Count > 0
            ? "/" + string.Join('/', parts)
            : throw new CgroupException($"linux.cgroupsPath {cgroupsPath}: the root cgroup cannot be a container's");
    }

    /// <summary>Makes the cgroup in every tree, parents included.</summary>
    /// <param name="path">Absolute, see <see cref="Resolve"/>.</param>
    /// <exception cref="CgroupException">No cgroup file system; it is read-only; processes are in the cgroup already.</exception>
    public static ContainerCgroup Create(CgroupHost host, string path)
    {
        if (host.Hierarchies.Count == 0)
        {
            throw new CgroupException(
                $"no cgroup file system is mounted (mount -t cgroup2 cgroup2 {CgroupHost.DefaultMountPoint})");
        }

        List<CgroupDirectory> made = [];
        List<CgroupDirectory> all = [];
        try
        {
            foreach (CgroupHierarchy hierarchy in host.Hierarchies)
            {
                CgroupDirectory directory = hierarchy.Directory(path);
                all.Add(directory);
                if (Make(directory))
                {
                    made.Add(directory);
                }
                else
                {
                    RefuseUsed(directory);
                }

                if (hierarchy.IsUnified)
                {
                    UnifiedTree.EnableControllers(directory);
                }
                else if (hierarchy.Has("cpuset"))
                {
                    LegacyCpuset.Initialise(directory);
                }
            }

            return new ContainerCgroup(host, path, all, fresh: made.Count == all.Count);
        }
        catch (Exception e) when (e is SyscallException or CgroupException)
        {
            foreach (CgroupDirectory directory in made)
            {
                // Best effort: the first error is the one to tell, and what is left is found by FindAll.
                directory.TryRemove();
            }

            all.ForEach(directory => directory.Dispose());
            if (e is CgroupException)
            {
                throw;
            }

            throw new CgroupException($"cannot create cgroup {path}: {e.Message}", e);
        }
    }

    /// <summary>An existing cgroup; null where no tree has it.</summary>
    public static ContainerCgroup? Open(CgroupHost host, string path)
    {
        List<CgroupDirectory> directories = [];
        foreach (CgroupHierarchy hierarchy in host.Hierarchies)
        {
            CgroupDirectory directory = hierarchy.Directory(path);
            if (directory.Exists)
            {
                directories.Add(directory);
            }
        }

        return directories.Count > 0 ? new ContainerCgroup(host, path, directories, fresh: false) : null;
    }

    /// <summary>The names of all cgroups below <see cref="Parent"/> in any tree: what recovery compares with the containers it knows.</summary>
    public static IReadOnlyCollection<string> FindAll(CgroupHost host)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (CgroupHierarchy hierarchy in host.Hierarchies)
        {
            using CgroupDirectory parent = hierarchy.Directory(Parent);
            foreach (CgroupDirectory child in parent.Children())
            {
                names.Add(System.IO.Path.GetFileName(child.Path));
                child.Dispose();
            }
        }

        return names;
    }

    /// <summary>Opens the files that <see cref="Attach"/> and the child write to, so that after the clone there is nothing to
    /// look up. Idempotent.</summary>
    public void PrepareAttach()
    {
        if (_attachPrepared)
        {
            return;
        }

        foreach (CgroupDirectory directory in _directories)
        {
            string file = $"{directory.FullPath}/{(directory.Hierarchy.IsUnified ? "cgroup.procs" : "tasks")}";
            SafeFileHandle handle = Files.Open(file, OpenFlags.WriteOnly);
            if (directory.Hierarchy.IsUnified)
            {
                _unifiedProcesses = handle;
            }
            else
            {
                _selfAttach.Add(handle);
            }
        }

        _attachPrepared = true;
    }

    /// <summary>Moves a single-threaded process (a child before its execve) into the cgroup: one write(2) a tree.</summary>
    /// <remarks>On v1 each write may wait for RCU, 1 to 2 ms; where the child can do it, use <see cref="SelfAttach"/>.</remarks>
    /// <param name="unified">False where the process was born in <see cref="CloneTarget"/>.</param>
    public void Attach(int pid, bool unified = true)
    {
        PrepareAttach();
        for (int i = 0, legacy = 0; i < _directories.Count; i++)
        {
            CgroupDirectory directory = _directories[i];
            if (directory.Hierarchy.IsUnified && !unified)
            {
                continue;
            }

            SafeFileHandle file = directory.Hierarchy.IsUnified ? _unifiedProcesses! : _selfAttach[legacy++];
            Errno errno = CgroupDirectory.TryAttach(file, pid);
            if (errno != Errno.None)
            {
                string name = directory.Hierarchy.IsUnified ? "cgroup.procs" : "tasks";
                throw new CgroupException(
                    $"cannot move process {pid} into cgroup {Path}: "
                    + new SyscallException("write", $"{directory.FullPath}/{name}", errno, $"value={pid}", AttachHint(errno)).Message);
            }
        }
    }

    /// <summary>Removes the cgroup from every tree, cgroups below it first. Where it is gone already nothing happens.</summary>
    /// <param name="patience">How long to wait for processes that are on their way out (EBUSY); 5 seconds where null.</param>
    /// <exception cref="CgroupException">Processes are still in it after that time.</exception>
    public void Delete(TimeSpan? patience = null)
    {
        TimeSpan limit = patience ?? DefaultPatience;
        Stopwatch clock = Stopwatch.StartNew();
        int pause = 1;
        foreach (CgroupDirectory directory in _directories)
        {
            while (true)
            {
                Errno errno = directory.TryRemove();
                if (errno == Errno.None)
                {
                    break;
                }

                if (errno is not (Errno.EBUSY or Errno.ENOTEMPTY) || clock.Elapsed >= limit)
                {
                    IReadOnlyList<int> left = Processes();
                    string? hint = left.Count > 0 ? $"still in it: {string.Join(' ', left.Take(10))}" : null;
                    throw new CgroupException(
                        $"cannot remove cgroup {Path}: {new SyscallException("rmdir", directory.FullPath, errno, null, hint).Message}");
                }

                Thread.Sleep(pause);
                pause = Math.Min(2 * pause, 50);
            }
        }
    }

    public void Dispose()
    {
        _unifiedProcesses?.Dispose();
        _deviceProgram?.Dispose();
        _selfAttach.ForEach(handle => handle.Dispose());
        _directories.ForEach(directory => directory.Dispose());
    }

    private CgroupDirectory? In(string controller) => _directories.Find(directory => directory.Hierarchy.Has(controller));

    private static bool Make(CgroupDirectory directory)
    {
        try
        {
            bool made = directory.TryMake(out Errno errno);
            if (errno != Errno.ENOENT)
            {
                return made;
            }

            // The first container since boot: make the parents, then try again.
            using (CgroupDirectory? parent = directory.Parent)
            {
                if (parent is null)
                {
                    throw new SyscallException("mkdir", directory.FullPath, errno);
                }

                Make(parent);
            }

            made = directory.TryMake(out errno);
            return errno == Errno.None ? made : throw new SyscallException("mkdir", directory.FullPath, errno);
        }
        catch (SyscallException e)
        {
            string hint = e.Errno switch
            {
                Errno.EROFS => $"{directory.Hierarchy.MountPoint} is mounted read-only: inside a container, run that one privileged",
                Errno.EACCES or Errno.EPERM => "run as root",
                Errno.EAGAIN or Errno.ENOSPC => "cgroup.max.descendants or cgroup.max.depth of a parent is reached",
                _ => "",
            };
            throw new CgroupException($"cannot create cgroup: {e.Message}{(hint.Length > 0 ? $" ({hint})" : "")}", e);
        }
    }

    /// <summary>A container in a cgroup with processes would share their limits and die with them.</summary>
    private static void RefuseUsed(CgroupDirectory directory)
    {
        IReadOnlyList<int> processes = directory.Processes();
        if (processes.Count > 0)
        {
            throw new CgroupException(
                $"cgroup {directory.Path} is in use: {directory.FullPath}/cgroup.procs lists {processes.Count} "
                + $"process{(processes.Count == 1 ? "" : "es")} ({string.Join(' ', processes.Take(10))})");
        }
    }

    private static string? AttachHint(Errno errno) => errno switch
    {
        Errno.ESRCH => "the process has ended",
        Errno.ENOSPC => "cpuset.cpus or cpuset.mems of the cgroup is empty",
        Errno.EBUSY => "cgroup v2 allows no process in a cgroup whose cgroup.subtree_control is not empty",
        Errno.EOPNOTSUPP => "the cgroup's cgroup.type is threaded or invalid",
        Errno.EINVAL => "a real-time process needs cpu.rt_runtime_us in its cgroup",
        _ => null,
    };
}
