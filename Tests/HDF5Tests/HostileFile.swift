import CHDF5
import HDF5

/// Files that this program never writes, made with the C interface.
struct HostileFile {
    let file: hid_t

    /// Creates a file, lets `body` fill it, and closes it. Nothing else is inside libhdf5 meanwhile.
    static func make(_ path: String, oldFormat: Bool = false, _ body: (HostileFile) -> Void) {
        Library.exclusively {
            let access = H5Pcreate(chdf5_file_access())
            if !oldFormat { H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110) }
            let file = H5Fcreate(path, chdf5_truncate(), chdf5_default(), access)
            precondition(file >= 0, "cannot create \(path)")
            body(HostileFile(file: file))
            H5Fclose(file)
            H5Pclose(access)
        }
    }

    /// A dataset named "values", [4, 4] unless told, of any type and storage; nothing is written into it.
    func dataset(
        _ name: String = "values", type: hid_t = chdf5_float32_little(), shape: [hsize_t] = [4, 4],
        writing: Bool = true, _ configure: (_ creation: hid_t) -> Void = { _ in }
    ) {
        let space = H5Screate_simple(Int32(shape.count), shape, nil)
        let creation = H5Pcreate(chdf5_dataset_create())
        configure(creation)
        let id = H5Dcreate2(file, name, type, space, chdf5_default(), creation, chdf5_default())
        precondition(id >= 0, "cannot create \(name)")
        if writing {
            let zeros = [UInt8](repeating: 0, count: Int(shape.reduce(1, *)) * H5Tget_size(type))
            H5Dwrite(id, type, chdf5_all(), chdf5_all(), chdf5_default(), zeros)
        }
        H5Dclose(id)
        H5Pclose(creation)
        H5Sclose(space)
    }

    /// Another name for an object.
    func link(_ name: String, as other: String) {
        H5Lcreate_hard(file, name, file, other, chdf5_default(), chdf5_default())
    }

    /// An attribute of the root group whose bytes are zero, or those of `value`.
    func attribute(_ name: String, type: hid_t, space: hid_t, value: [UInt8]? = nil) {
        let id = H5Acreate2(file, name, type, space, chdf5_default(), chdf5_default())
        precondition(id >= 0, "cannot create \(name)")
        if let value { H5Awrite(id, type, value) }
        H5Aclose(id)
    }

    static func variableLengthString() -> hid_t {
        let type = H5Tcopy(chdf5_c_string())
        H5Tset_size(type, chdf5_variable_length())
        return type
    }

    static func compound() -> hid_t {
        let type = H5Tcreate(H5T_COMPOUND, 8)
        H5Tinsert(type, "a", 0, chdf5_float32_little())
        H5Tinsert(type, "b", 4, chdf5_float32_little())
        return type
    }

    static func reordered(_ type: hid_t) -> hid_t {
        let copy = H5Tcopy(type)
        H5Tset_order(copy, H5T_ORDER_BE)
        return copy
    }

    static func resized(_ type: hid_t, _ size: Int) -> hid_t {
        let copy = H5Tcopy(type)
        H5Tset_size(copy, size)
        return copy
    }
}
