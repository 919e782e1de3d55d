/// How much a file may ask of the reader before it is refused.
package struct Limits: Sendable, Equatable {
    /// The size of the file, in bytes.
    package var fileBytes = 1 << 34
    /// The elements of one dataset, in bytes.
    package var datasetBytes = 1 << 33
    /// One attribute, in bytes.
    package var attributeBytes = 1 << 24
    /// The name of an object or attribute, in bytes of UTF-8.
    package var nameBytes = 255
    /// The children of one group, and the attributes of one object.
    package var children = 65_536
    /// The groups below each other.
    package var depth = 32

    /// Whether files of the format of HDF5 before 1.8 are read, the default of h5py and of HDF5 itself. Their metadata have
    /// no checksums, and libhdf5 1.10.8 can crash where they are corrupt: only for files that are known to be sound.
    package var acceptsOldFormat = false

    /// The most dimensions a dataset may have: as many as HDF5 knows.
    static let rank = 32

    package init() {}

    /// 16 GiB files, 8 GiB datasets, 16 MiB attributes, 255-byte names, 65,536 children, 32 levels.
    package static let standard = Limits()

    /// As `standard`, for sound files of other programs.
    package static let foreign: Limits = {
        var limits = Limits()
        limits.acceptsOldFormat = true
        return limits
    }()
}
