using System.Runtime.InteropServices;

namespace Hull.Images.Codecs;

/// <summary>A codec library of the distribution, loaded on first use, so that a host without it still handles all else.</summary>
internal sealed class CodecLibrary(string file, string package, string format)
{
    private readonly Lock _gate = new();
    private nint _handle;

    /// <summary>The address of a function of the library.</summary>
    /// <exception cref="ImageException">Host: the library is not installed, or lacks the function.</exception>
    public nint Function(string name)
    {
        lock (_gate)
        {
            if (_handle == 0 && !NativeLibrary.TryLoad(file, out _handle))
            {
                throw new ImageException(ImageError.Host, $"{format} compression needs {file}, which is not installed (Debian: apt-get install {package})");
            }

            return NativeLibrary.TryGetExport(_handle, name, out nint address)
                ? address
                : throw new ImageException(ImageError.Host, $"{file} has no function {name} (a newer {package} is needed)");
        }
    }
}
